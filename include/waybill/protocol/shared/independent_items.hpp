// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/session.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The items of a job that is sent item by item: their order, and what the failure of one means for the others.
class independent_items {
public:
    explicit independent_items(session& job) : job_(job), order_(items_to_send(job)) {}

    /// The next one that is not delivered yet; none: all have had their turn.
    [[nodiscard]] std::optional<std::size_t> next() noexcept {
        return next_ < order_.size() ? std::optional(order_[next_++]) : std::nullopt;
    }

    /// To be called when `item` failed, in the handler of `why`: rethrows, or keeps it for later if it concerns only
    /// this item and the others are to be delivered. An outcome in doubt concerns the whole job: it parks the job.
    void failed(std::size_t item, const failure& why) {
        const bool settled = !job_.in_doubt() || why.settles();
        const bool alone = why.what_to_do() == disposition::permanent && settled;
        if (!alone || job_.spec().if_item_fails == on_item_failure::stop) {
            throw;
        }
        job_.fail_item_soon(item);
        if (!first_ || item < first_item_) {
            first_.emplace(why);
            first_item_ = item;
        }
    }

    /// After the last one has had its turn: throws the first item's failure, if any.
    void finish() const {
        if (!first_) {
            return;
        }
        std::size_t delivered = 0;
        for (const item_record& one : job_.items()) {
            delivered += one.state.status == item_status::completed ? 1 : 0;
        }
        diagnostics details = first_->details();
        details.detail = std::to_string(delivered) + " of " + std::to_string(job_.items().size()) +
                         " items were delivered" + (details.detail.empty() ? "" : "; " + details.detail);
        throw failure(disposition::permanent, first_->code(), std::move(details), std::nullopt, first_item_);
    }

private:
    session& job_;
    std::vector<std::size_t> order_;
    std::size_t next_ = 0;
    std::optional<failure> first_;
    std::size_t first_item_ = 0;
};

/// Rejects, before acceptance, a job whose items are to arrive independently if the protocol cannot do that.
inline void require_no_independence(const waybill::job& job) {
    if (job.if_item_fails() != on_item_failure::stop) {
        throw error(errc::invalid_setting, "if_item_fails: the items of a form arrive together or not at all");
    }
}

}  // namespace waybill::detail
