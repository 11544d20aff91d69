package io.github.credentialmanager.examples.snippets;

import io.github.credentialmanager.jgit.GitHubCredentialsProvider;
import io.github.credentialmanager.okhttp.GitHubTokenInterceptor;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.File;
import java.net.URI;
import okhttp3.OkHttpClient;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.api.errors.GitAPIException;

/** The code of the adapters' READMEs. */
final class AdapterReadmes {
  private AdapterReadmes() {}

  static OkHttpClient okHttp(long appId, String nodeId) {
    // region okhttp
    OkHttpClient client =
        new OkHttpClient.Builder()
            .addInterceptor(GitHubTokenInterceptor.create(appId, nodeId))
            .build();
    // endregion
    return client;
  }

  static GitHubTokenInterceptor okHttpWithUploads(long appId, String nodeId) {
    // region okhttp-uploads
    TokenRequest request = TokenRequest.installation(appId, nodeId);
    GitHubTokenInterceptor interceptor =
        GitHubTokenInterceptor.create(
            GitHubAuthorizer.builder(TokenProvider.credentialManager(), request)
                .additionalOrigin(URI.create("https://uploads.github.com"))
                .build());
    // endregion
    return interceptor;
  }

  static void jgit(long appId, String nodeId, File directory) throws GitAPIException {
    // region jgit
    GitHubCredentialsProvider gitHub = GitHubCredentialsProvider.create(appId, nodeId);
    try (Git git =
        Git.cloneRepository()
            .setURI("https://github.com/octo-org/api.git")
            .setDirectory(directory)
            .setTransportConfigCallback(gitHub)
            .call()) {
      git.push().setTransportConfigCallback(gitHub).call();
    }
    // endregion
  }
}
