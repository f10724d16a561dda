/* CPU seconds libebur128 needs for a file of stereo 48 kHz floats: libebur128 FILE MODES POLLS_PER_SECOND */
#include <ebur128.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RATE = 48000, CHANNELS = 2, BLOCK = RATE / 10 };

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  FILE* file = fopen(argv[1], "rb");
  if (file == NULL) return 3;
  fseek(file, 0, SEEK_END);
  const size_t frames = (size_t)ftell(file) / sizeof(float) / CHANNELS;
  rewind(file);
  float* samples = malloc(frames * CHANNELS * sizeof *samples);
  if (samples == NULL || fread(samples, CHANNELS * sizeof *samples, frames, file) != frames) return 4;
  const int true_peak = strchr(argv[2], 'T') != NULL;
  const int modes = EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_I | (true_peak ? EBUR128_MODE_TRUE_PEAK : 0);
  const size_t blocks_per_poll = (size_t)(10 / atoi(argv[3]));
  double value;
  double sum = 0;
  const clock_t start = clock();
  ebur128_state* state = ebur128_init(CHANNELS, RATE, modes);
  for (size_t block = 0; (block + 1) * BLOCK <= frames; block++) {
    ebur128_add_frames_float(state, samples + block * BLOCK * CHANNELS, BLOCK);
    ebur128_loudness_momentary(state, &value);
    if (block % blocks_per_poll == 0) ebur128_loudness_shortterm(state, &value);
    sum += value;
  }
  ebur128_loudness_global(state, &value);
  const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  ebur128_destroy(&state);
  printf("%.6f\n", sum + value < 0 ? seconds : -1.0);
  free(samples);
  fclose(file);
  return 0;
}
