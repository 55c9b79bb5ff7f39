import t from 'tap';
import { MAX_URL_CHARACTERS, parseRequest } from './mirror-request.ts';
import { digest } from './twins.ts';

t.test('paths of the distribution specification say what is asked for', async (t) => {
  t.same(parseRequest('/v2/'), { kind: 'version' });
  t.same(parseRequest('/v2/library/nginx/manifests/latest?ns=docker.io'), {
    kind: 'tag',
    image: 'docker.io/library/nginx:latest',
  });
  t.same(parseRequest('/v2/app/manifests/v1?ns=registry%3A5000'), {
    kind: 'tag',
    image: 'registry:5000/app:v1',
  });
  t.same(parseRequest('/v2/app/manifests/v1?ns=%5Bfd00%3A%3A1%5D%3A5000'), {
    kind: 'tag',
    image: '[fd00::1]:5000/app:v1',
  });
  t.same(parseRequest(`/v2/app/manifests/${digest('a')}?ns=x`), { kind: 'manifest', digest: digest('a') });
  t.same(parseRequest(`/v2/a/b_c/d--e/blobs/${digest('a')}`), { kind: 'blob', digest: digest('a') });
});

t.test('anything else is unknown', async (t) => {
  const long = 'a'.repeat(MAX_URL_CHARACTERS);
  for (const url of [
    '',
    '/',
    '/v2/app',
    '/v2/app/tags/list?ns=x',
    '/v2/app/manifests/?ns=x',
    '/v2/app/manifests/v1',
    '/v2/app/manifests/v1?ns=',
    '/v2/app/manifests/v1?ns=a/b',
    '/v2/app/manifests/v1?ns=a%00b',
    '/v2/app/manifests/v%31?ns=x',
    '/v2/app/manifests/.hidden?ns=x',
    `/v2/app/manifests/${'t'.repeat(129)}?ns=x`,
    '/v2/App/manifests/v1?ns=x',
    '/v2/../manifests/v1?ns=x',
    '/v2/a//b/manifests/v1?ns=x',
    '/v2/a%2fb/manifests/v1?ns=x',
    '/v2/app/blobs/v1?ns=x',
    '/v2/app/blobs/sha512:00?ns=x',
    `/v2/${'a'.repeat(256)}/manifests/v1?ns=x`,
    `/v2/app/manifests/v1?ns=${'a'.repeat(256)}`,
    `/v2/app/manifests/v1?ns=x&${long}`,
  ])
    t.match(parseRequest(url), { kind: 'unknown' }, url.slice(0, 80));
});

t.test('a name made to be slow to check is not', async (t) => {
  t.match(parseRequest(`/v2/${'a-'.repeat(120)}!/manifests/v1?ns=x`), { kind: 'unknown' });
});
