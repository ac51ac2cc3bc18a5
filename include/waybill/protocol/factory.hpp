// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/fwd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace waybill {

/// Makes a protocol from its stored settings. Throws `errc::invalid_setting`.
using protocol_factory = std::function<std::unique_ptr<protocol>(const protocol_spec&)>;

/// A protocol's factory, under the name that is stored with its jobs.
struct named_protocol {
    std::string name;
    protocol_factory make;
};

/// Protocols that an app adds. One with the name of a protocol of the library replaces it: this is how a protocol gets
/// settings for the whole program.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class protocol_set {
public:
    /// Adds a protocol, or replaces the one of this name.
    protocol_set& add(named_protocol what) {
        all_[std::move(what.name)] = std::move(what.make);
        return *this;
    }
    protocol_set& add(std::string name, protocol_factory make) { return add({std::move(name), std::move(make)}); }

    [[nodiscard]] const std::map<std::string, protocol_factory>& all() const noexcept { return all_; }

private:
    std::map<std::string, protocol_factory> all_;
};

}  // namespace waybill
