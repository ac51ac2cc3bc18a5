// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library's version, `major.minor.patch` by semantic versioning.
#define WAYBILL_VERSION_MAJOR 0
#define WAYBILL_VERSION_MINOR 1
#define WAYBILL_VERSION_PATCH 0
#define WAYBILL_VERSION_STRING "0.1.0"
