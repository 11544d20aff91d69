package io.github.credentialmanager.sdk;

import java.time.Instant;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/**
 * Whether every step of a {@link Slot} is one step, and none waits for another thread.
 *
 * <p>Lincheck runs the operations below on several threads in very many orders and looks for a
 * result that no order on one thread can give.
 */
@Param(name = "flight", gen = IntGen.class, conf = "0:2")
@Param(name = "token", gen = IntGen.class, conf = "0:2")
@Param(name = "minute", gen = IntGen.class, conf = "0:2")
public class SlotLinearizabilityTest {
  private static final TokenRequest REQUEST = TokenRequest.app(1);
  private static final TokenRequest FRESH = REQUEST.fresh();
  private static final TokenDeniedException DENIAL =
      new TokenDeniedException("no", Reason.INSTALLATION_SUSPENDED);
  private static final long MINUTE = 60_000;
  private static final RandomGenerator RANDOM = new Random(0);
  private static final HeldToken[] TOKENS = {held(0), held(1), held(2)};

  private final Slot slot = new Slot(this);
  private final Flight[] flights = {
    Flight.starting(false, Long.MAX_VALUE),
    Flight.starting(true, Long.MAX_VALUE),
    Flight.starting(false, Long.MAX_VALUE)
  };

  private static HeldToken held(int index) {
    AccessToken token =
        AccessToken.builder(1, Secret.of("t" + index), Instant.ofEpochMilli(MINUTE + index))
            .issuedAt(Instant.EPOCH)
            .build();
    return HeldToken.of(token, 0, MINUTE / 4, MINUTE / 8, RANDOM);
  }

  @Operation
  public String join(@Param(name = "flight") int flight, @Param(name = "minute") int minute) {
    return join(REQUEST, flight, minute);
  }

  @Operation
  public String joinFresh(@Param(name = "flight") int flight, @Param(name = "minute") int minute) {
    return join(FRESH, flight, minute);
  }

  private String join(TokenRequest request, int flight, int minute) {
    try {
      Flight joined = slot.join(request, flights[flight], minute * MINUTE, 0);
      return joined.result().isDone()
          ? "token " + index(joined.result().join())
          : "flight " + index(joined);
    } catch (TokenDeniedException e) {
      return "denied";
    }
  }

  @Operation
  public boolean startRefresh(
      @Param(name = "flight") int flight, @Param(name = "minute") int minute) {
    return slot.startRefresh(flights[flight], minute * MINUTE);
  }

  @Operation
  public boolean land(@Param(name = "flight") int flight, @Param(name = "token") int token) {
    return slot.landed(flights[flight], TOKENS[token]);
  }

  @Operation
  public boolean deny(@Param(name = "flight") int flight, @Param(name = "minute") int minute) {
    return slot.denied(flights[flight], DENIAL, minute * MINUTE);
  }

  @Operation
  public boolean fail(@Param(name = "flight") int flight, @Param(name = "minute") int minute) {
    return slot.failed(flights[flight], minute * MINUTE, MINUTE);
  }

  @Operation
  public boolean reject(@Param(name = "token") int token, @Param(name = "minute") int minute) {
    return slot.reject(TOKENS[token].token(), minute * MINUTE);
  }

  @Operation
  public void evict() {
    slot.evicted();
  }

  @Operation
  public int forget() {
    Flight flight = slot.forget();
    return flight == null ? -1 : index(flight);
  }

  @Operation
  public int held() {
    HeldToken held = slot.held();
    return held == null ? -1 : index(held);
  }

  private int index(Flight flight) {
    for (int i = 0; i < flights.length; i++) {
      if (flights[i] == flight) {
        return i;
      }
    }
    throw new AssertionError("a flight from nowhere");
  }

  private static int index(HeldToken held) {
    for (int i = 0; i < TOKENS.length; i++) {
      if (TOKENS[i].equals(held)) {
        return i;
      }
    }
    throw new AssertionError("a token from nowhere");
  }

  @Test
  void everyStepIsAtomicAndLockFreeInAllInterleavings() {
    new ModelCheckingOptions()
        .iterations(15)
        .invocationsPerIteration(1_000)
        .threads(3)
        .actorsPerThread(3)
        .checkObstructionFreedom(true)
        .check(getClass());
  }

  @Test
  void everyStepIsAtomicOnRealThreads() {
    new StressOptions()
        .iterations(15)
        .invocationsPerIteration(1_000)
        .threads(3)
        .actorsPerThread(4)
        .check(getClass());
  }
}
