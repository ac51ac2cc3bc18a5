// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/components.hpp>
#include <waybill/protocol/tus.hpp>
#include <waybill/protocol/tus/protocol.hpp>

namespace waybill::detail {

inline const component tus_component("tus", factory_of<tus_protocol>());

}  // namespace waybill::detail
