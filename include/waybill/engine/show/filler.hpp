// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/show/board.hpp>
#include <waybill/model/record.hpp>
#include <waybill/store/store.hpp>

#include <optional>
#include <vector>

namespace waybill::detail {

/// Lists on the board what the store holds: what is parked, what is to come, and what is done, as far as there is room.
///
/// Page by page, so that a large queue does not hold up the first upload. The first page of each is read before any is
/// published, so that the first snapshot is no empty one.
///
/// @par Thread safety
///   On the uploader's strand.
class filler {
public:
    filler(store& kept, board& shown);

    /// Lists the next page of each kind of jobs. Completes with parked jobs whose records cannot be trusted.
    asio::awaitable<std::vector<loaded_job>> next_pages();
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }
    /// Jobs are not listed because the board is full.
    [[nodiscard]] bool ran_out_of_room() const noexcept { return no_room_; }

private:
    /// Jobs of one kind that are still to be listed: those after `last`.
    struct unlisted {
        listing which;
        std::optional<job_record> last;
    };

    asio::awaitable<bool> list_page(unlisted& rest, std::vector<loaded_job>& damaged);

    store& store_;
    board& board_;
    std::vector<unlisted> rest_;
    bool no_room_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/show/filler.ipp>
#endif
