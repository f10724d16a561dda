// A libmpg123 that finds no sound, runs in circles at a byte `L` and crashes at a byte `C`.
#include <stddef.h>

static int handle;
static const long rate = 44100;

int mpg123_init(void) { return 0; }
void *mpg123_new(const char *decoder, int *error) { (void)decoder, (void)error; return &handle; }
void mpg123_delete(void *mh) { (void)mh; }
int mpg123_param(void *mh, int kind, long value, double fraction) { (void)mh, (void)kind, (void)value, (void)fraction; return 0; }
int mpg123_format_none(void *mh) { (void)mh; return 0; }
int mpg123_format(void *mh, long hz, int channels, int encodings) { (void)mh, (void)hz, (void)channels, (void)encodings; return 0; }
void mpg123_rates(const long **list, size_t *count) { *list = &rate; *count = 1; }
int mpg123_open_feed(void *mh) { (void)mh; return 0; }
int mpg123_getformat(void *mh, long *hz, int *channels, int *encoding) { (void)mh, (void)hz, (void)channels, (void)encoding; return -1; }

int mpg123_decode(void *mh, const unsigned char *in, size_t count, unsigned char *out, size_t room, size_t *done) {
  (void)mh, (void)out, (void)room;
  *done = 0;
  for (size_t i = 0; i < count; ++i) {
    for (volatile int circles = 1; in[i] == 'L' && circles;) {}
    if (in[i] == 'C') *(volatile int *)NULL = 1;
  }
  return -10;
}
