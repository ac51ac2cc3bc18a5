// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/check_options.hpp>
#include <waybill/engine/bandwidth.hpp>
#include <waybill/engine/engine.hpp>
#include <waybill/options.hpp>
#include <waybill/protocol/automatic/protocol.hpp>
#include <waybill/protocol/components.hpp>
#include <waybill/protocol/multipart/protocol.hpp>
#include <waybill/protocol/put/protocol.hpp>
#include <waybill/source/file_root.hpp>
#include <waybill/source/file_source.hpp>
#include <waybill/store/sqlite_store.hpp>
#include <waybill/transport/curl_transport.hpp>

#include <memory>
#include <utility>

// Where the parts are composed: the only file that names concrete ones. Further protocols register themselves
// (components.hpp).
namespace waybill::detail {

template <class Part, class Concrete, class... Arguments>
[[nodiscard]] std::shared_ptr<Part> given_or(std::shared_ptr<Part> given, Arguments&&... arguments) {
    return given ? std::move(given) : std::make_shared<Concrete>(std::forward<Arguments>(arguments)...);
}

[[nodiscard]] inline registry all_protocols(const options& how) {
    registry known;
    known.add("put", factory_of<put_protocol>());
    known.add("multipart", factory_of<multipart_protocol>());
    for (const auto& [name, make] : all_components()) {
        known.add(name, make);
    }
    for (const auto& [name, make] : how.protocols.all()) {
        known.add(name, make);
    }
    if (!known.contains("auto")) {  // last, because it chooses among the others
        known.add("auto", [others = known, memory = std::make_shared<endpoint_memory>()](const protocol_spec& spec) {
            return std::make_unique<automatic_protocol>(spec, others, memory);
        });
    }
    return known;
}

inline void check_all_options(const options& how) {
    check_engine_options(how);
    if (!how.replace.store) {
        check_options(how.store);
    }
    check_options(how.http);
    check_options(how.protocols);
}

[[nodiscard]] inline std::shared_ptr<engine> make_engine(const strand& home, options how) {
    check_all_options(how);
    engine_parts parts;
    parts.store = given_or<store, sqlite_store>(std::move(how.replace.store), home, how.store);
    parts.transport = given_or<transport, curl_transport>(std::move(how.replace.transport), home, how.http);
    parts.sources =
        given_or<source_opener, file_opener>(std::move(how.replace.sources), home, file_root(how.file_root));
    parts.clock = given_or<clock, real_clock>(std::move(how.replace.clock));
    parts.random = given_or<random_source, real_random>(std::move(how.replace.random));
    parts.protocols = all_protocols(how);
    return std::make_shared<engine>(home, std::move(parts), std::move(how));
}

}  // namespace waybill::detail
