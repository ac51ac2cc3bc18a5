// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/job.hpp>
#include <waybill/protocol/factory.hpp>
#include <waybill/protocol/protocol.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

// Protocols that the core does not know. A program gets one by including its header, or by linking a library that has
// compiled it (docs/decisions/0021).
namespace waybill::detail {

/// @par Thread safety
///   Safe.
WAYBILL_DECL void add_component(std::string name, protocol_factory make);

/// The registered ones.
[[nodiscard]] WAYBILL_DECL std::map<std::string, protocol_factory> all_components();

/// Registers a component, as soon as it is initialised, for all uploaders that are created later. Defined as a variable
/// among the component's definitions.
struct component {
    explicit component(named_protocol what) { add_component(std::move(what.name), std::move(what.make)); }
    component(std::string name, protocol_factory make) { add_component(std::move(name), std::move(make)); }
};

template <class Protocol>
[[nodiscard]] protocol_factory factory_of() {
    return [](const protocol_spec& spec) -> std::unique_ptr<protocol> { return std::make_unique<Protocol>(spec); };
}

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/components.ipp>
#endif
