package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is deployed must start: the packaged server reads the same policies. */
class CallerPolicyTest {
  private static final String WHO = "'account':'111122223333','role':'Builder'";

  @TempDir private static Path directory;
  private static Method serversParse;

  @BeforeAll
  static void loadTheServer() throws Exception {
    ServerPackage.unpackTo(directory);
    List<URL> jars = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory.resolve("lib"))) {
      for (Path jar : files.toList()) {
        jars.add(jar.toUri().toURL());
      }
    }
    serversParse =
        new URLClassLoader(jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())
            .loadClass("io.github.credentialmanager.server.callerpolicy.CallerPolicy")
            .getMethod("parse", String.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'statements':[{" + WHO + ",'appIds':[1001]}]}",
        "{'statements':[{'account':'111122223333','user':'release','appIds':[1001,1002.0,1e3]}]}",
        "{'statements':[{"
            + WHO
            + ",'appIds':[1],'nodeIds':['O_1'],'repositoryIds':[9223372036854775807],"
            + "'repositoryNames':['App'],'permissions':{'contents':'read','issues':'admin'}},"
            + "{"
            + WHO
            + ",'appIds':[2]}]}"
      })
  void takesWhatTheServerTakes(String policy) throws Exception {
    String compact = CallerPolicy.compact(json(policy));
    assertThat(serverTakes(json(policy))).isTrue();
    assertThat(serverTakes(compact)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "'text'",
        "null",
        "{}",
        "{'statements':null}",
        "{'statements':{}}",
        "{'statements':[]}",
        "{'statements':[null]}",
        "{'statements':['x']}",
        "{'statements':[{" + WHO + ",'appIds':[1]}],'version':1}",
        "{'statements':[{" + WHO + ",'appIds':[1]}]} {}",
        "{'statements':[{" + WHO + ",'appIds':[1],'appIds':[2]}]}",
        "{'statements':[{" + WHO + "}]}",
        "{'statements':[{" + WHO + ",'appIds':null}]}",
        "{'statements':[{" + WHO + ",'appIds':[]}]}",
        "{'statements':[{" + WHO + ",'appIds':['1']}]}",
        "{'statements':[{" + WHO + ",'appIds':[1.5]}]}",
        "{'statements':[{" + WHO + ",'appIds':[9223372036854775808]}]}",
        "{'statements':[{" + WHO + ",'appIds':[null]}]}",
        "{'statements':[{" + WHO + ",'appIds':1}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'apps':[1]}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'user':'release'}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'user':null}]}",
        "{'statements':[{'account':'111122223333','appIds':[1]}]}",
        "{'statements':[{'account':'1111','role':'Builder','appIds':[1]}]}",
        "{'statements':[{'account':111122223333,'role':'Builder','appIds':[1]}]}",
        "{'statements':[{'account':'111122223333','role':'path/Builder','appIds':[1]}]}",
        "{'statements':[{'account':'111122223333','role':7,'appIds':[1]}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'nodeIds':[]}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'nodeIds':null}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'nodeIds':[1]}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'repositoryIds':['1']}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'repositoryNames':[null]}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'permissions':{}}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'permissions':null}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'permissions':{'contents':'all'}}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'permissions':{'contents':null}}]}",
        "{'statements':[{" + WHO + ",'appIds':[1],'permissions':['contents']}]}"
      })
  void refusesWhatTheServerRefuses(String policy) throws Exception {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CallerPolicy.compact(json(policy)))
        .withMessageStartingWith("callerPolicy");
    assertThat(serverTakes(json(policy))).isFalse();
  }

  @Test
  void saysWhereItIsWrong() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                CallerPolicy.compact(
                    json("{'statements':[{" + WHO + ",'appIds':[1],'nodeIds':['O',1]}]}")))
        .withMessage("callerPolicy: /statements/0/nodeIds/1 has the wrong type");
  }

  private static String json(String text) {
    return text.replace('\'', '"');
  }

  private static boolean serverTakes(String policy) throws Exception {
    try {
      serversParse.invoke(null, policy);
      return true;
    } catch (InvocationTargetException e) {
      assertThat(e.getCause()).isInstanceOf(IllegalArgumentException.class);
      return false;
    }
  }
}
