// Feeds the plain C++ meter hours of everything that could come out of a decoder, and checks what must always hold:
// soak SECONDS SEED. Meant to be built with sanitizers or run under valgrind; it ends with code 1 at the first breach.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "meter.h"

namespace {

using namespace sustain;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  double unit() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }
  std::size_t below(std::size_t count) { return next() % count; }

 private:
  std::uint64_t state_;
};

void check(bool holds, const char* what, double value) {
  if (holds) return;
  std::fprintf(stderr, "breach: %s (%g)\n", what, value);
  std::exit(1);
}

void checkReading(const double* row, int channels) {
  for (std::size_t field = 0; field < kReadingFields; ++field) {
    check(row[field] != std::numeric_limits<double>::infinity(), "no figure is plus infinity", static_cast<double>(field));
  }
  check(row[kTruePeakDbtp] >= row[kSamplePeakDbfs], "true peak is no less than sample peak", row[kTruePeakDbtp]);
  check(row[kTruePeakDbtp] < 45.0, "true peak is bounded", row[kTruePeakDbtp]);
  check(row[kAudibleMs] >= 0.0 && row[kAudibleMs] <= 100.0, "audibleMs is 0 to 100", row[kAudibleMs]);
  check(row[kModulatedMs] >= 0.0 && row[kModulatedMs] <= 100.0, "modulatedMs is 0 to 100", row[kModulatedMs]);
  check(std::isnan(row[kCorrelation]) || std::fabs(row[kCorrelation]) <= 1.0, "correlation is -1 to 1", row[kCorrelation]);
  check(std::isnan(row[kLoudnessRangeLu]) || row[kLoudnessRangeLu] >= 0.0, "a range is not negative", row[kLoudnessRangeLu]);
  check(row[kFaults] < 32.0 && row[kWarnings] < 1024.0, "only known faults", row[kFaults]);
  for (int c = 0; c < channels; ++c) {
    check(!std::isnan(row[kRmsDbfs + static_cast<std::size_t>(c)]), "each channel has a level", c);
  }
}

/** One kind of sound for a while. */
struct Scene {
  int kind;
  double gain;
  double hertz;
  double pan;
};

float sampleOf(const Scene& scene, Random& random, double seconds, int channel, std::vector<float>& loop, std::size_t at) {
  const double side = channel % 2 == 0 ? 1.0 : scene.pan;
  switch (scene.kind) {
    case 0: return 0.0f;
    case 1: return static_cast<float>(scene.gain * side * std::sin(2.0 * kPi * scene.hertz * seconds));
    case 2: return static_cast<float>(scene.gain * side * (random.unit() - 0.5));
    case 3: return static_cast<float>(side) * loop[at % loop.size()];
    case 4: return static_cast<float>(scene.gain * side * (random.unit() - 0.5) * (1.0 + std::sin(9.0 * seconds)));
    case 5: return 1e-41f;
    case 6: {
      const std::uint64_t bits = random.next();
      const auto low = static_cast<std::uint32_t>(bits);
      float anything;
      static_assert(sizeof anything == sizeof low);
      __builtin_memcpy(&anything, &low, sizeof anything);
      return anything;
    }
    default: return static_cast<float>(scene.gain * 40.0 * side * (random.unit() - 0.5));
  }
}

void runMeter(double seconds, Random& random) {
  static constexpr double kRates[] = {8000, 11025, 16000, 22050, 32000, 44100, 44100, 48000, 48000, 96000, 192000};
  MeterSettings settings;
  settings.sampleRateHz = kRates[random.below(sizeof kRates / sizeof *kRates)];
  settings.channels = random.below(3) == 0 ? 1 + static_cast<int>(random.below(6)) : 2;
  settings.faults = rulesFor(static_cast<Preset>(random.below(3)));
  settings.faults.targetLufs = random.below(2) == 0 ? -16.0 : kUndefined;
  Meter meter(settings);
  std::vector<double> rows(kReadingFields * 8);
  ReadingRing ring{rows.data(), 8, 0};
  const auto channels = static_cast<std::size_t>(settings.channels);
  std::vector<float> block;
  std::vector<float> loop;
  const auto total = static_cast<std::uint64_t>(seconds * settings.sampleRateHz);
  Scene scene{};
  std::uint64_t sceneEnd = 0;
  for (std::uint64_t frame = 0; frame < total;) {
    if (frame >= sceneEnd) {
      scene = {static_cast<int>(random.below(8)), std::pow(10.0, -4.0 * random.unit()), 20.0 + 5000.0 * random.unit(),
               2.0 * random.unit() - 1.0};
      sceneEnd = frame + static_cast<std::uint64_t>((0.1 + 40.0 * random.unit()) * settings.sampleRateHz);
      loop.resize(1 + static_cast<std::size_t>((0.1 + 5.0 * random.unit()) * settings.sampleRateHz));
      for (float& sample : loop) sample = static_cast<float>(0.3 * (random.unit() - 0.5));
    }
    const std::size_t longest = random.below(4) == 0 ? 1 : random.below(3) == 0 ? 100000 : 4800;
    const std::size_t frames = random.below(longest + 1);
    block.resize(frames * channels);
    for (std::size_t i = 0; i < frames; ++i) {
      const double at = static_cast<double>(frame + i) / settings.sampleRateHz;
      for (std::size_t c = 0; c < channels; ++c) {
        block[i * channels + c] = sampleOf(scene, random, at, static_cast<int>(c), loop, (frame + i) * 2 + c % 2);
      }
    }
    const std::uint64_t before = ring.written;
    const std::size_t count = meter.push(block.data(), frames, ring);
    check(ring.written - before == count, "push says how many readings it wrote", static_cast<double>(count));
    for (std::size_t age = 0; age < std::min<std::size_t>(count, 8); ++age) {
      checkReading(rows.data() + (ring.written - 1 - age) % 8 * kReadingFields, settings.channels);
    }
    frame += frames;
    if (random.below(20000) == 0) {
      meter.reset();
      ring.written = 0;
    }
  }
  check(meter.faults().episodes().size() <= 64, "the log of faults is bounded", 0.0);
  for (const FaultEpisode& episode : meter.faults().episodes()) {
    check(episode.startSeconds <= episode.tripSeconds, "a fault starts before it trips", episode.startSeconds);
    check(!(episode.endSeconds < episode.startSeconds), "a fault ends after it starts", episode.endSeconds);
  }
  check(!(meter.summary().durationSeconds > seconds + 20.0), "duration is that of the audio", meter.summary().durationSeconds);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 60.0;
  Random random(argc > 2 ? static_cast<std::uint64_t>(std::atoll(argv[2])) : 1);
  constexpr double kSecondsPerMeter = 200.0;
  for (double done = 0.0; done < seconds; done += kSecondsPerMeter) {
    runMeter(std::min(kSecondsPerMeter, seconds - done), random);
  }
  std::printf("%.0f s of audio, nothing amiss\n", seconds);
  return 0;
}
