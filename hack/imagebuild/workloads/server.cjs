// A web server; with the argument `once` it asks itself one question and ends.
const http = require('node:http');
const crypto = require('node:crypto');
const zlib = require('node:zlib');

const server = http.createServer((request, response) => {
  const body = zlib.gzipSync(`hello ${request.url}`.repeat(1000));
  response.setHeader('etag', crypto.createHash('sha256').update(body).digest('hex'));
  response.end(body);
});

server.listen(process.argv[2] === 'once' ? 0 : 8080, '127.0.0.1', () => {
  const { port } = server.address();
  console.log(`node listens on ${port}`);
  if (process.argv[2] !== 'once') return;
  http.get({ port, host: '127.0.0.1', path: '/smoke' }, (response) => {
    response.resume().on('end', () => {
      console.log(`node answered ${response.statusCode}`);
      server.close();
    });
  });
});
