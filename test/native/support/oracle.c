/* Prints what libebur128 reads, as JSON: oracle RATE CHANNELS [brief] < interleaved 32-bit floats
   `brief` leaves out short-term loudness and loudness range, which take most of the time. */
#include <ebur128.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const char* name, double value) {
  if (isfinite(value)) printf("\"%s\":%.9f,", name, value);
  else printf("\"%s\":null,", name);
}

int main(int argc, char** argv) {
  if (argc != 3 && !(argc == 4 && strcmp(argv[3], "brief") == 0)) return 2;
  const int brief = argc == 4;
  const int ranges = brief ? 0 : EBUR128_MODE_S | EBUR128_MODE_LRA;
  const unsigned long rate = strtoul(argv[1], NULL, 10);
  const unsigned channels = (unsigned)strtoul(argv[2], NULL, 10);
  ebur128_state* state =
      ebur128_init(channels, rate, EBUR128_MODE_M | EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK | ranges);
  const size_t frames = rate / 100;
  float* block = malloc(frames * channels * sizeof *block);
  if (state == NULL || block == NULL) return 3;
  double max_momentary = -HUGE_VAL, max_short_term = -HUGE_VAL, value;
  unsigned long steps = 0;
  size_t got;
  printf("{\"momentary\":[");
  /* 10 ms at a time: reading every 100 ms misses the true maximum of momentary loudness. */
  while ((got = fread(block, channels * sizeof *block, frames, stdin)) > 0) {
    ebur128_add_frames_float(state, block, got);
    ebur128_loudness_momentary(state, &value);
    if (++steps >= 40 && value > max_momentary) max_momentary = value;
    if (steps % 10 == 0) {
      printf(steps == 10 ? "%s%.6f" : ",%s%.6f", "", isfinite(value) ? value : -999.0);
      if (brief) continue;
      ebur128_loudness_shortterm(state, &value);
      if (steps >= 300 && value > max_short_term) max_short_term = value;
    }
  }
  printf("],");
  print("maxMomentaryLufs", max_momentary);
  if (!brief) print("maxShortTermLufs", max_short_term);
  ebur128_loudness_global(state, &value);
  print("integratedLufs", value);
  if (!brief) {
    ebur128_loudness_range(state, &value);
    print("loudnessRangeLu", value);
  }
  double peak = 0, sample_peak = 0;
  for (unsigned c = 0; c < channels; c++) {
    ebur128_true_peak(state, c, &value);
    if (value > peak) peak = value;
    ebur128_sample_peak(state, c, &value);
    if (value > sample_peak) sample_peak = value;
  }
  print("truePeakDbtp", 20 * log10(peak));
  print("samplePeakDbfs", 20 * log10(sample_peak));
  printf("\"channels\":%u}\n", channels);
  ebur128_destroy(&state);
  free(block);
  return 0;
}
