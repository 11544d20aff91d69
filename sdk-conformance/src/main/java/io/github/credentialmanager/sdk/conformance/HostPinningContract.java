package io.github.credentialmanager.sdk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Answer;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Received;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * That no byte of a token reaches anybody but GitHub, as tests of an HTTP adapter that is
 * configured for {@code https://api.github.com} and goes through a {@link LoopbackInternet}.
 *
 * <p>Each URL of {@link PinnedUrl#all()} is asked for, and is where a redirect from GitHub points;
 * a client under test that follows redirects must be set to follow them.
 */
public interface HostPinningContract {
  /** Where all requests end up. */
  LoopbackInternet internet();

  /** The only token that the adapter gets. */
  String token();

  /**
   * Sends a request through the adapter and reads the whole answer, whatever it is.
   *
   * @param method GET or POST
   * @throws Exception if the client refuses the URL, which is as good as sending nothing
   */
  void send(String method, String url) throws Exception;

  @TestFactory
  default Stream<DynamicTest> sendsTheTokenToGitHubAlone() {
    return PinnedUrl.all().stream()
        .map(
            url ->
                DynamicTest.dynamicTest(
                    printable(url),
                    () -> {
                      internet().received().clear();
                      internet().answer(request -> new Answer(200, Map.of(), "{}"));
                      send("GET", "https://api.github.com/before");
                      assertEquals(List.of("https://api.github.com:443"), receivers());
                      sendIfPossible("GET", url.url());
                      assertNobodyElseHasTheToken();
                    }));
  }

  @TestFactory
  default Stream<DynamicTest> sendsTheTokenNowhereElseAfterARedirect() {
    return PinnedUrl.all().stream()
        .map(
            url ->
                DynamicTest.dynamicTest(
                    printable(url),
                    () -> {
                      internet().received().clear();
                      for (int status : new int[] {301, 302, 303, 307, 308}) {
                        internet()
                            .answer(
                                request ->
                                    isGitHub(request) && request.target().equals("/start")
                                        ? new Answer(status, Map.of("Location", url.url()), "")
                                        : new Answer(200, Map.of(), "{}"));
                        sendIfPossible("GET", "https://api.github.com/start");
                        sendIfPossible("POST", "https://api.github.com/start");
                      }
                      assertFalse(receivers().isEmpty(), "GitHub itself was asked with the token");
                      assertNobodyElseHasTheToken();
                    }));
  }

  private void sendIfPossible(String method, String url) {
    try {
      send(method, url);
    } catch (Exception e) {
      // The client or its library refuses the URL.
    }
  }

  private void assertNobodyElseHasTheToken() {
    assertEquals(List.of("https://api.github.com:443"), receivers().stream().distinct().toList());
  }

  private List<String> receivers() {
    return internet().received().stream()
        .filter(request -> request.raw().contains(token()))
        .map(Received::origin)
        .toList();
  }

  private static boolean isGitHub(Received request) {
    return request.origin().equals("https://api.github.com:443");
  }

  private static String printable(PinnedUrl url) {
    return url.url().replaceAll("\\p{Cntrl}", "?");
  }
}
