package io.github.credentialmanager.server.functionurl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MediaTypesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json; x=y",
      })
  void takeJsonInUtf8(String contentType) {
    assertThat(MediaTypes.isJson(contentType)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "text/plain",
        "application/jsonp",
        "application/json, text/plain",
        "application/vnd.api+json",
        "application/json; charset=iso-8859-1",
      })
  void refuseOtherContent(String contentType) {
    assertThat(MediaTypes.isJson(contentType)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        "*/*",
        "application/*",
        "text/html, application/json;q=0.1",
        "text/html,*/*;q=0.8",
        "application/json;q=0, */*;q=0.1",
      })
  void answerWhoAcceptsJson(String accept) {
    assertThat(MediaTypes.acceptJson(accept)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/html",
        "text/*",
        "application/xml, text/plain;q=0.5",
        "application/json;q=0",
        "*/*; q=0.000",
        "",
      })
  void refuseWhoDoesNot(String accept) {
    assertThat(MediaTypes.acceptJson(accept)).isFalse();
  }
}
