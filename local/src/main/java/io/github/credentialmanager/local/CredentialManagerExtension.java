package io.github.credentialmanager.local;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;

/**
 * Runs one {@link LocalCredentialManager} for a test class, its nested classes included, and hands
 * it to constructors and methods.
 *
 * <p>Parameters may be a {@link LocalCredentialManager}, its {@link GitHubDouble}, its {@link
 * LocalKms}, its endpoint ({@link URI}) or the credentials of a caller who is let in ({@link
 * AwsCredentialsProvider}).
 *
 * <pre>{@code
 * @CredentialManagerTest
 * class DeployTest {
 *   @Test
 *   void asksForNoMoreThanItNeeds(LocalCredentialManager stack, GitHubDouble gitHub) { ... }
 * }
 * }</pre>
 *
 * <p>The stack starts with the demo App, 1001 on {@code octo-org} and {@code octocat}; register the
 * extension in a static field to have it otherwise:
 *
 * <pre>{@code
 * @RegisterExtension
 * static final CredentialManagerExtension STACK =
 *     CredentialManagerExtension.with(builder -> builder.seed(Path.of("src/test/apps.json")));
 * }</pre>
 *
 * <p>Test classes may run in parallel: each has a stack, and tables of its own in one DynamoDB
 * Local that all of a test run share. Tests of one class share its stack. Needs JUnit 5.13 or
 * later.
 */
public final class CredentialManagerExtension implements BeforeAllCallback, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(CredentialManagerExtension.class);

  private static final Map<Class<?>, Function<LocalCredentialManager, Object>> PARAMETERS =
      Map.of(
          LocalCredentialManager.class, stack -> stack,
          GitHubDouble.class, LocalCredentialManager::gitHub,
          LocalKms.class, LocalCredentialManager::kms,
          URI.class, LocalCredentialManager::endpoint,
          AwsCredentialsProvider.class, LocalCredentialManager::credentialsProvider);

  private final Consumer<LocalCredentialManager.Builder> settings;

  /** For {@code @ExtendWith}. */
  public CredentialManagerExtension() {
    this(LocalCredentialManager.Builder::demo);
  }

  private CredentialManagerExtension(Consumer<LocalCredentialManager.Builder> settings) {
    this.settings = settings;
  }

  /** For {@code @RegisterExtension}: a stack with other settings than the demo's. */
  public static CredentialManagerExtension with(Consumer<LocalCredentialManager.Builder> settings) {
    return new CredentialManagerExtension(settings);
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    stack(context);
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return PARAMETERS.containsKey(parameter.getParameter().getType());
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Function<LocalCredentialManager, Object> part =
        PARAMETERS.getOrDefault(parameter.getParameter().getType(), stack -> stack);
    return part.apply(stack(context));
  }

  /** The stack of the context or of one around it; JUnit closes it with the context it is in. */
  private LocalCredentialManager stack(ExtensionContext context) {
    return computeIfAbsent(
        context.getStore(NAMESPACE), LocalCredentialManager.class, () -> start(context));
  }

  private LocalCredentialManager start(ExtensionContext context) {
    DynamoDbLocal dynamoDb =
        computeIfAbsent(
            context.getRoot().getStore(NAMESPACE),
            DynamoDbLocal.class,
            () -> DynamoDbLocal.start(null, message -> {}));
    LocalCredentialManager.Builder builder =
        LocalCredentialManager.builder()
            .dynamoDb(dynamoDb.endpoint(), Tables.named("-" + UUID.randomUUID()));
    settings.accept(builder);
    return builder.start();
  }

  // Store#computeIfAbsent is of JUnit 6; what it replaces is of JUnit 5 and still there.
  @SuppressWarnings("deprecation")
  private static <T> T computeIfAbsent(Store store, Class<T> type, Supplier<T> start) {
    return requireNonNull(store.getOrComputeIfAbsent(type, key -> start.get(), type));
  }
}
