// SPDX-License-Identifier: BSL-1.0
#include <waybill/fwd.hpp>
