// SPDX-License-Identifier: BSL-1.0
#pragma once

// Header-only is the default: every definition is inline, in the headers.
//
// With WAYBILL_SEPARATE_COMPILATION the headers only declare, which compiles several times faster,
// and one source file of the program includes <waybill/src.hpp>. The CMake target
// waybill::compiled does both.
#if defined(WAYBILL_SEPARATE_COMPILATION)
#define WAYBILL_DECL
#else
#define WAYBILL_DECL inline
#define WAYBILL_HEADER_ONLY 1
#endif
