package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import software.amazon.awscdk.Duration;

/** When the alarms of a {@link CredentialManager} go off. */
public final class AlarmThresholds {
  final int tokenServerErrors;
  final int throttles;
  final Duration installationTrackerSilence;
  final Duration rateLimitTrackerSilence;
  final int rateLimitRemainingPercent;

  private AlarmThresholds(Builder builder) {
    this.tokenServerErrors = builder.tokenServerErrors;
    this.throttles = builder.throttles;
    this.installationTrackerSilence = builder.installationTrackerSilence;
    this.rateLimitTrackerSilence = builder.rateLimitTrackerSilence;
    this.rateLimitRemainingPercent = builder.rateLimitRemainingPercent;
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Collects the settings of {@link AlarmThresholds}. */
  public static final class Builder {
    private int tokenServerErrors = 5;
    private int throttles = 5;
    private Duration installationTrackerSilence = Duration.minutes(90);
    private Duration rateLimitTrackerSilence = Duration.minutes(30);
    private int rateLimitRemainingPercent = 20;

    private Builder() {}

    /** How many 5xx answers of one token operation within five minutes; 5 unless set. */
    public Builder tokenServerErrors(int tokenServerErrors) {
      this.tokenServerErrors = atLeastOne("tokenServerErrors", tokenServerErrors);
      return this;
    }

    /** How many invocations Lambda turned away within five minutes, in all; 5 unless set. */
    public Builder throttles(int throttles) {
      this.throttles = atLeastOne("throttles", throttles);
      return this;
    }

    /**
     * How long the installation tracker may go without a successful run; 90 minutes unless set.
     *
     * <p>Keep it above the schedule's interval. Whole minutes, at most a day.
     */
    public Builder installationTrackerSilence(Duration installationTrackerSilence) {
      this.installationTrackerSilence =
          silence("installationTrackerSilence", installationTrackerSilence);
      return this;
    }

    /**
     * How long the rate-limit tracker may go without a successful run; 30 minutes unless set.
     *
     * <p>Keep it above the schedule's interval. Whole minutes, at most a day.
     */
    public Builder rateLimitTrackerSilence(Duration rateLimitTrackerSilence) {
      this.rateLimitTrackerSilence = silence("rateLimitTrackerSilence", rateLimitTrackerSilence);
      return this;
    }

    /** At how many percent left of any rate limit of GitHub's; 20 unless set. */
    public Builder rateLimitRemainingPercent(int rateLimitRemainingPercent) {
      if (rateLimitRemainingPercent < 0 || rateLimitRemainingPercent > 100) {
        throw new IllegalArgumentException(
            "rateLimitRemainingPercent must be between 0 and 100: " + rateLimitRemainingPercent);
      }
      this.rateLimitRemainingPercent = rateLimitRemainingPercent;
      return this;
    }

    public AlarmThresholds build() {
      return new AlarmThresholds(this);
    }

    private static int atLeastOne(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be at least 1: " + value);
      }
      return value;
    }

    private static Duration silence(String name, Duration value) {
      double minutes = requireNonNull(value, name).toSeconds().doubleValue() / 60;
      if (minutes < 5 || minutes > 24 * 60 || minutes != Math.rint(minutes)) {
        throw new IllegalArgumentException(
            name + " must be whole minutes, from 5 minutes to a day: " + minutes + " minutes");
      }
      return value;
    }
  }
}
