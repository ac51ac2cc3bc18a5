// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/components.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/resumable/protocol.hpp>

namespace waybill::detail {

inline const component resumable_component("resumable", factory_of<resumable_protocol>());

}  // namespace waybill::detail
