// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/protocol/registry.hpp>
#include <waybill/random.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/transport.hpp>

#include <memory>

namespace waybill::detail {

/// The parts an engine works with. It knows them by their interfaces alone.
struct engine_parts {
    std::shared_ptr<waybill::store> store;
    std::shared_ptr<waybill::transport> transport;
    std::shared_ptr<source_opener> sources;
    std::shared_ptr<waybill::clock> clock;
    std::shared_ptr<random_source> random;
    registry protocols;
};

}  // namespace waybill::detail
