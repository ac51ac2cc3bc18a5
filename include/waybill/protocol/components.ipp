// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/components.hpp>

#include <mutex>

namespace waybill::detail {

struct component_list {
    std::mutex lock;
    std::map<std::string, protocol_factory> known;
};

/// Never destroyed: an uploader may be made while the program's own variables are.
[[nodiscard]] inline component_list& the_components() {
    static auto* const only = new component_list;
    return *only;
}

WAYBILL_DECL void add_component(std::string name, protocol_factory make) {
    component_list& all = the_components();
    const std::lock_guard held(all.lock);
    all.known.insert_or_assign(std::move(name), std::move(make));
}

WAYBILL_DECL std::map<std::string, protocol_factory> all_components() {
    component_list& all = the_components();
    const std::lock_guard held(all.lock);
    return all.known;
}

}  // namespace waybill::detail
