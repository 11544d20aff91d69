package io.github.credentialmanager.ops;

/** The steps of an import in their order. Each is proven before the next starts. */
public enum ImportStep {
  /** The App table is there; the App's row, if any, is read. */
  READ_TABLE,
  /** GitHub accepts the PEM's key for the App: {@code GET /app}. */
  PROVE_PEM,
  /** A KMS key without material, tagged as this App's. */
  CREATE_KEY,
  /** The wrapping key and the import token. */
  GET_PARAMETERS,
  /** The private key is wrapped and imported. */
  IMPORT_MATERIAL,
  /** The KMS key's public key is the PEM's. */
  COMPARE_PUBLIC_KEY,
  /** A signature of KMS verifies. */
  VERIFY_SIGNATURE,
  /** GitHub accepts the KMS key for the App: {@code GET /app}. */
  PROVE_KMS_KEY,
  /** The App's row names the new key, and the old one as its previous key. */
  SWITCH
}
