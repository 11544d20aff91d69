package io.github.credentialmanager.infra;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The shape of a caller policy, checked when it is deployed.
 *
 * <p>A server that reads one that is wrong does not start. What is wrong is therefore found here,
 * by the server's own rules: a test holds both to the same verdicts.
 */
final class CallerPolicy {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
  private static final Set<String> MEMBERS =
      Set.of(
          "account",
          "role",
          "user",
          "appIds",
          "nodeIds",
          "repositoryIds",
          "repositoryNames",
          "permissions");
  private static final List<String> LEVELS = List.of("read", "write", "admin");

  private CallerPolicy() {}

  /**
   * The policy in its shortest spelling, for a function's environment is small.
   *
   * @throws IllegalArgumentException saying where it is wrong
   */
  static String compact(String json) {
    try {
      JsonNode policy = JSON.readTree(json);
      require(
          policy.isObject() && names(policy).equals(Set.of("statements")),
          "/",
          "must be an object with the member statements and no other");
      JsonNode statements = policy.path("statements");
      require(
          statements.isArray() && !statements.isEmpty(),
          "/statements",
          "must be a list that is not empty; leave the policy out to leave it to IAM");
      for (int i = 0; i < statements.size(); i++) {
        checkStatement("/statements/" + i, statements.get(i));
      }
      return policy.toString();
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("callerPolicy is no JSON", e);
    }
  }

  private static void checkStatement(String path, JsonNode statement) {
    require(statement.isObject(), path, "must be an object");
    Set<String> unknown = names(statement);
    unknown.removeAll(MEMBERS);
    require(unknown.isEmpty(), path, "has unknown members: " + unknown);
    require(
        statement.path("account").isTextual()
            && statement.path("account").asText().matches("[0-9]{12}"),
        path + "/account",
        "must be twelve digits");
    require(
        statement.has("role") != statement.has("user"), path, "must name either a role or a user");
    JsonNode name = statement.path(statement.has("role") ? "role" : "user");
    require(
        name.isTextual() && name.asText().matches("[A-Za-z0-9_+=,.@-]{1,64}"),
        path,
        "must name the role or user without its path");
    require(statement.has("appIds"), path + "/appIds", "is missing");
    checkList(path, statement, "appIds", CallerPolicy::isId);
    checkList(path, statement, "nodeIds", JsonNode::isTextual);
    checkList(path, statement, "repositoryIds", CallerPolicy::isId);
    checkList(path, statement, "repositoryNames", JsonNode::isTextual);
    if (statement.has("permissions")) {
      JsonNode permissions = statement.path("permissions");
      require(
          permissions.isObject() && !permissions.isEmpty(),
          path + "/permissions",
          "must be an object that is not empty; leave it out not to limit");
      for (JsonNode level : permissions) {
        require(
            level.isTextual() && LEVELS.contains(level.asText()),
            path + "/permissions",
            "takes the levels read, write and admin");
      }
    }
  }

  private static void checkList(
      String path, JsonNode statement, String name, Predicate<JsonNode> valid) {
    if (!statement.has(name)) {
      return;
    }
    JsonNode list = statement.path(name);
    require(
        list.isArray() && !list.isEmpty(),
        path + "/" + name,
        "must be a list that is not empty; leave it out not to limit");
    for (int i = 0; i < list.size(); i++) {
      require(valid.test(list.get(i)), path + "/" + name + "/" + i, "has the wrong type");
    }
  }

  private static boolean isId(JsonNode number) {
    return number.isNumber() && number.canConvertToExactIntegral() && number.canConvertToLong();
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static void require(boolean holds, String path, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("callerPolicy: " + path + " " + rule);
    }
  }
}
