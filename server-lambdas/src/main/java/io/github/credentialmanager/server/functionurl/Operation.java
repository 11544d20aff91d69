package io.github.credentialmanager.server.functionurl;

/**
 * One operation of the service, rid of HTTP.
 *
 * <p>Safe for use by multiple threads.
 */
public interface Operation {
  /**
   * Answers, or throws.
   *
   * @throws io.github.credentialmanager.server.contract.ServiceException an error of the contract
   * @throws io.github.credentialmanager.server.json.JsonException if a member of the input has the
   *     wrong type
   * @throws RuntimeException the failure of GitHub, KMS or DynamoDB as its port throws it
   */
  Answer answer(Request request);
}
