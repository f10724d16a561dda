#pragma once

namespace sustain {

/** sin(pi x) / (pi x) under a Kaiser window that ends at `halfWidth`; the offset is in samples from the middle. */
double windowedSinc(double offset, double halfWidth, double beta);

}  // namespace sustain
