// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/protocol/factory.hpp>
#include <waybill/protocol/protocol.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace waybill {

/// Protocols by the name that is stored with a job: after a restart only the name is known.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class registry {
public:
    using factory = protocol_factory;

    /// Registers a protocol, or replaces one.
    registry& add(std::string name, factory make) {
        factories_[std::move(name)] = std::move(make);
        return *this;
    }

    [[nodiscard]] bool contains(const std::string& name) const { return factories_.contains(name); }

    /// Throws `errc::unknown_protocol`, `errc::invalid_setting`.
    [[nodiscard]] std::unique_ptr<protocol> make(const protocol_spec& spec) const {
        const auto found = factories_.find(spec.name);
        if (found == factories_.end()) {
            throw error(errc::unknown_protocol, spec.name);
        }
        return found->second(spec);
    }

private:
    std::map<std::string, factory> factories_;
};

}  // namespace waybill
