#include "bindings.h"
void gvc::bind_motion(pybind11::module_ &) {}
