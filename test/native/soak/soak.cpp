// Feeds the plain C++ meter, the processing chain, the delay line and the search for the same moment hours of everything
// that could come out of a decoder, and checks what must always hold:
// soak SECONDS SEED. Meant to be built with sanitizers or run under valgrind; it ends with code 1 at the first breach.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "chain_settings.h"
#include "correlator.h"
#include "interpolator.h"
#include "meter.h"
#include "processor.h"
#include "sound_ring.h"

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
  settings.faults->targetLufs = random.below(2) == 0 ? -16.0 : kUndefined;
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
  check(meter.faults()->episodes().size() <= 64, "the log of faults is bounded", 0.0);
  for (const FaultEpisode& episode : meter.faults()->episodes()) {
    check(episode.startSeconds <= episode.tripSeconds, "a fault starts before it trips", episode.startSeconds);
    check(!(episode.endSeconds < episode.startSeconds), "a fault ends after it starts", episode.endSeconds);
  }
  check(!(meter.summary().durationSeconds > seconds + 20.0), "duration is that of the audio", meter.summary().durationSeconds);
}

/** Anything that the binding lets through: finite numbers, most of them sensible, some of them absurd. */
ChainSettings anySettings(Random& random) {
  std::vector<double> values(kChainParameters.size());
  for (double& value : values) {
    switch (random.below(6)) {
      case 0: value = 0.0; break;
      case 1: value = 1.0; break;
      case 2: value = -60.0 * random.unit(); break;
      case 3: value = 20000.0 * random.unit(); break;
      case 4: value = std::pow(10.0, 300.0 * (2.0 * random.unit() - 1.0)) * (random.below(2) == 0 ? 1.0 : -1.0); break;
      default: value = 100.0 * random.unit(); break;
    }
  }
  return settingsFrom(values.data());
}

void runChain(double seconds, Random& random) {
  ChainSettings settings = anySettings(random);
  Processor processor(settings);
  std::vector<double> rows(kProcessorFields * 8);
  ProcessorRing ring{rows.data(), 8, 0};
  std::vector<float> block;
  std::vector<float> loop(1 + random.below(100000));
  for (float& sample : loop) sample = static_cast<float>(0.3 * (random.unit() - 0.5));
  const auto total = static_cast<std::uint64_t>(seconds * kChainRateHz);
  // While settings change both chains are heard, and what is over the ceiling of the one may be under that of the other.
  std::uint64_t changedAt = 0;
  double ceiling = settings.limiterOn ? settings.ceilingDbtp : 1000.0;
  double ceilingBefore = ceiling;
  Scene scene{};
  std::uint64_t sceneEnd = 0;
  std::uint64_t readings = 0;
  for (std::uint64_t frame = 0; frame < total;) {
    if (frame >= sceneEnd) {
      scene = {static_cast<int>(random.below(8)), std::pow(10.0, -4.0 * random.unit()), 20.0 + 5000.0 * random.unit(),
               2.0 * random.unit() - 1.0};
      sceneEnd = frame + static_cast<std::uint64_t>((0.1 + 10.0 * random.unit()) * kChainRateHz);
      if (random.below(3) == 0) {
        settings = anySettings(random);
        processor.change(settings);
        ceilingBefore = ceiling;
        ceiling = settings.limiterOn ? settings.ceilingDbtp : 1000.0;
        changedAt = frame;
      }
    }
    const std::size_t frames = random.below((random.below(4) == 0 ? 1 : random.below(3) == 0 ? 100000 : 4800) + 1);
    block.resize(2 * frames);
    for (std::size_t i = 0; i < block.size(); ++i) {
      const double at = static_cast<double>(frame + i / 2) / kChainRateHz;
      block[i] = sampleOf(scene, random, at, static_cast<int>(i % 2), loop, 2 * frame + i);
    }
    readings += processor.process(block.data(), frames, ring);
    check(ring.written == readings, "process says how many readings it wrote", static_cast<double>(readings));
    for (std::size_t i = 0; i < block.size(); ++i) {
      const std::uint64_t at = frame + i / 2;
      const bool changing = at < changedAt + 24000;
      const double least = changing ? std::max(ceiling, ceilingBefore) : ceiling;
      check(std::isfinite(block[i]), "what comes out is a number", static_cast<double>(at));
      if (least > 500.0) continue;
      check(std::fabs(block[i]) <= std::pow(10.0, least / 20.0) * 1.0001, "no sample is over the ceiling", block[i]);
    }
    frame += frames;
  }
}

/** Whatever is asked of a ring, in stereo or mixed down: it is there or it isn't, and it is the same sound. */
void runRing(Random& random) {
  SoundRing ring(static_cast<std::int64_t>(1 + random.below(60000)));
  for (int step = 0; step < 200; ++step) {
    std::vector<float> sound(2 * random.below(9000));
    for (float& sample : sound) sample = static_cast<float>(3.0 * random.unit() - 1.5);
    ring.push(sound.data(), sound.size() / 2);
    if (random.below(8) == 0) ring.forgetBefore(ring.startFrame() + static_cast<std::int64_t>(random.below(9000)));
    const std::size_t frames = random.below(30000);
    const std::int64_t from = ring.startFrame() - 100 + static_cast<std::int64_t>(random.below(60000));
    std::vector<float> stereo(2 * frames);
    std::vector<float> mono(frames);
    const bool isHere = ring.read(from, stereo.data(), frames);
    check(ring.readMono(from, mono.data(), frames) == isHere, "a ring holds it in both ways or in none", 0.0);
    check(isHere == (from >= ring.startFrame() && from + static_cast<std::int64_t>(frames) <= ring.endFrame()),
          "a ring holds what lies between its ends", static_cast<double>(from));
    if (!isHere) continue;
    for (std::size_t i = 0; i < frames; ++i) {
      check(mono[i] == 0.5f * (stereo[2 * i] + stereo[2 * i + 1]), "mixed down it is the mean of both sides", mono[i]);
    }
  }
}

void runSearch(Random& random) {
  std::vector<float> haystack(2 * random.below(400000));
  std::vector<float> needle(2 * random.below(100000));
  Scene scene{static_cast<int>(random.below(8)), std::pow(10.0, -4.0 * random.unit()), 20.0 + 5000.0 * random.unit(), 1.0};
  std::vector<float> loop(1 + random.below(100000), 0.1f);
  for (std::vector<float>* sound : {&haystack, &needle}) {
    for (std::size_t i = 0; i < sound->size(); ++i) {
      (*sound)[i] = sampleOf(scene, random, static_cast<double>(i / 2) / kChainRateHz, static_cast<int>(i % 2), loop, i);
    }
  }
  const Correlation found = correlate(monoOf(needle.data(), needle.size() / 2), monoOf(haystack.data(), haystack.size() / 2));
  if (found.heard) {
    check(found.offset >= 0 && static_cast<std::size_t>(found.offset) + needle.size() / 2 <= haystack.size() / 2,
          "what was found lies within", static_cast<double>(found.offset));
    check(found.peak >= 0.0 && found.peak <= 1.0001, "a correlation is 0 to 1", found.peak);
    check(found.runnerUp >= 0.0, "the runner-up is no less than nothing", found.runnerUp);
  }
  const std::size_t frames = haystack.size() / 2;
  const double rate = 0.9 + 0.2 * random.unit();
  if (frames <= 4 * kInterpolatorReach) return;
  const auto most = static_cast<std::size_t>(static_cast<double>(frames - 2 * kInterpolatorReach) / rate);
  std::vector<float> out(2 * random.below(most));
  const double last = static_cast<double>(out.size() / 2) * rate;
  const double room = static_cast<double>(frames - 2 * kInterpolatorReach) - last;
  interpolate(haystack.data(), static_cast<double>(kInterpolatorReach) + room * random.unit(), rate, out.data(), out.size() / 2);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 60.0;
  Random random(argc > 2 ? static_cast<std::uint64_t>(std::atoll(argv[2])) : 1);
  constexpr double kSecondsPerMeter = 200.0;
  for (double done = 0.0; done < seconds; done += kSecondsPerMeter) {
    runMeter(std::min(kSecondsPerMeter, seconds - done), random);
  }
  // A tenth of it for the chain, which costs ten times as much; a search is some seconds of sound.
  for (double done = 0.0; done < seconds / 10.0; done += kSecondsPerMeter / 10.0) {
    runChain(kSecondsPerMeter / 10.0, random);
    runSearch(random);
    runRing(random);
  }
  std::printf("%.0f s of audio, nothing amiss\n", seconds);
  return 0;
}
