#include "bindings.h"
void gvc::bind_range_coder(pybind11::module_ &) {}
