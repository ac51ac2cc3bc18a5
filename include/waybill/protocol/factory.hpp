// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/fwd.hpp>

#include <functional>
#include <memory>

namespace waybill {

/// Makes a protocol from its stored settings. Throws `errc::invalid_setting`.
using protocol_factory = std::function<std::unique_ptr<protocol>(const protocol_spec&)>;

}  // namespace waybill
