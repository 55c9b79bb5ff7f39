import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.stream.IntStream;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

/** Run from its source, so that the compiler is read too: serves one request to itself and ends. */
public class App {
  public static void main(String[] arguments) throws Exception {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      var body = String.valueOf(IntStream.range(0, 1000).filter(n -> n % 7 == 0).sum()).getBytes();
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
    var address = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    var answer = HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
    System.out.println("java is ready: " + answer.body());
    server.stop(0);
  }
}
