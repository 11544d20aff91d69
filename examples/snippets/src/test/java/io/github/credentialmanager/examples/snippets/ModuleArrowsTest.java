package io.github.credentialmanager.examples.snippets;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may import whom. An arrow that is not written here does not exist. */
class ModuleArrowsTest {
  private static final String ROOT = "io.github.credentialmanager.";

  /** Each module's root package, and the root packages of the modules it may import. */
  private static final Map<String, Set<String>> ARROWS =
      Map.of(
          "sdk", Set.of(),
          "githubapi", Set.of("sdk"),
          "okhttp", Set.of("sdk"),
          "jgit", Set.of("sdk"),
          "server", Set.of(),
          "ops", Set.of(),
          "local", Set.of("sdk", "server", "ops"),
          "examples", Set.of("sdk", "githubapi", "okhttp", "jgit", "server", "ops", "local"));

  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.github.credentialmanager");

  @Test
  void coverEveryModuleOnTheClassPath() {
    Set<String> found =
        OURS.stream()
            .map(type -> type.getPackageName().substring(ROOT.length()).split("\\.")[0])
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(ARROWS.keySet()).containsAll(found);
    assertThat(found).contains("sdk", "githubapi", "okhttp", "server", "ops", "local");
  }

  @ParameterizedTest
  @MethodSource("modules")
  void pointOnlyWhereTheyMay(String module) {
    List<String> allowed = new ArrayList<>();
    allowed.add(ROOT + module + "..");
    ARROWS.getOrDefault(module, Set.of()).forEach(other -> allowed.add(ROOT + other + ".."));

    noClasses()
        .that(resideInAPackage(ROOT + module + ".."))
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.github.credentialmanager..")
                .and(not(resideInAnyPackage(allowed.toArray(String[]::new)))))
        .allowEmptyShould(true)
        .check(OURS);
  }

  static Set<String> modules() {
    return ARROWS.keySet();
  }

  @Nested
  class Libraries {
    @Test
    void stayWhereTheyAreUsed() {
      onlyIn("software.amazon.awssdk.services.kms..", "server", "ops", "local");
      onlyIn("software.amazon.awssdk.services.dynamodb..", "server", "ops", "local");
      onlyIn("com.github.benmanes.caffeine..", "sdk", "server");
      onlyIn("org.kohsuke.github..", "githubapi", "examples");
      onlyIn("okhttp3..", "okhttp", "examples");
      onlyIn("com.github.tomakehurst.wiremock..", "local");
    }

    private void onlyIn(String library, String... modules) {
      String[] packages = new String[modules.length];
      for (int i = 0; i < modules.length; i++) {
        packages[i] = ROOT + modules[i] + "..";
      }
      noClasses()
          .that(not(resideInAnyPackage(packages)))
          .should()
          .dependOnClassesThat(resideInAPackage(library))
          .check(OURS);
    }
  }

  @Nested
  class Packages {
    @Test
    void haveNoRoomForLeftovers() {
      noClasses()
          .should()
          .resideInAnyPackage("..util..", "..utils..", "..common..", "..impl..", "..helper..")
          .check(OURS);
    }

    @Test
    void ofTheServerThatTalkToTheOutsideImportNoOperation() {
      classes()
          .that(
              resideInAnyPackage(
                  ROOT + "server.signing", ROOT + "server.github", ROOT + "server.store"))
          .should()
          .onlyDependOnClassesThat(
              not(
                  resideInAnyPackage(
                      ROOT + "server.apptoken",
                      ROOT + "server.installationtoken",
                      ROOT + "server.installations",
                      ROOT + "server.refresh")))
          .check(OURS);
    }
  }
}
