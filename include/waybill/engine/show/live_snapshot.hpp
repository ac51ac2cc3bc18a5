// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/show/meter.hpp>
#include <waybill/model/record.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/transport.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace waybill::detail {

/// What a snapshot shows of a running job: committed states, live byte counts.
///
/// @par Thread safety
///   On the uploader's strand.
class live_snapshot {
public:
    /// `whole` is the job as it is in memory.
    live_snapshot(const loaded_job& whole, waybill::clock& clock);
    live_snapshot(const live_snapshot&) = delete;
    live_snapshot& operator=(const live_snapshot&) = delete;

    /// A request in progress. It is shown for as long as this object exists, however the request ends.
    class transfer {
    public:
        transfer(live_snapshot& shown, std::vector<body_span> spans);
        transfer(const transfer&) = delete;
        transfer& operator=(const transfer&) = delete;
        ~transfer() { all_.erase(place_); }

        transfer_progress progress;
        const std::vector<body_span> spans;

    private:
        std::list<const transfer*>& all_;
        std::list<const transfer*>::iterator place_;
    };

    /// A change has been committed.
    void show(const job_change& change);
    /// It is to be paused, once its request has ended.
    void show_pausing() noexcept { shown_.pausing = true; }
    /// The server has these bytes of an item.
    void confirm(std::size_t item, std::uint64_t bytes) { shown_.progress_of_items[item].confirmed = bytes; }
    /// The current state.
    [[nodiscard]] const job_snapshot& observe();

private:
    void show_server_side(const job_change& change);
    void show_transfers();
    void measure_item(std::size_t item);

    const loaded_job& whole_;
    waybill::clock& clock_;
    job_snapshot shown_;
    std::list<const transfer*> transfers_;
    meter job_meter_;
    std::vector<meter> item_meters_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/show/live_snapshot.ipp>
#endif
