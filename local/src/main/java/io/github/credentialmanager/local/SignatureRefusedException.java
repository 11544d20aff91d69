package io.github.credentialmanager.local;

/**
 * A request that AWS would not take as signed by whom it names.
 *
 * <p>Carries what AWS answers: the name for {@code x-amzn-ErrorType} and the message. Neither holds
 * a credential, a signature or a canonical request.
 */
final class SignatureRefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String errorType;

  SignatureRefusedException(String errorType, String message) {
    super(message);
    this.errorType = errorType;
  }

  /** For example {@code InvalidSignatureException}. */
  String errorType() {
    return errorType;
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
