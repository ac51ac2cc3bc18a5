// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/session.hpp>
#include <waybill/waybill.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

//[protocol
/// The protocol choice for a job: `job.via(numbered{})`.
struct numbered {
    [[nodiscard]] waybill::protocol_spec spec() const { return {"numbered", {}}; }
};

/// The implementation: one PUT for each item, to <url>/0, <url>/1 and so on.
class numbered_protocol final : public waybill::protocol {
public:
    /// Makes it from the stored settings of a job. It has no settings, and rejects each by its name.
    static std::unique_ptr<waybill::protocol> make(const waybill::protocol_spec& spec) {
        if (!spec.settings.empty()) {
            throw waybill::error(waybill::errc::invalid_setting, "numbered: " + spec.settings.front().first);
        }
        return std::make_unique<numbered_protocol>();
    }

    void check(const waybill::job& job) const override {
        if (job.url().ends_with('/')) {
            throw waybill::error(waybill::errc::invalid_url, "write it without the last /");
        }
    }

    asio::awaitable<void> upload(waybill::session& job) override {
        for (const std::size_t i : items_to_send(job)) {  // without those that were completed before a crash
            const std::unique_ptr<waybill::body_source> body = job.open(i);
            waybill::request put;
            put.url = job.spec().url + "/" + std::to_string(i);
            put.body = body.get();
            put.idempotent = true;
            put.spans = {{.item = i, .length = body->size()}};  // the body is this item's bytes, and no others
            const waybill::response got = co_await job.send(std::move(put), i);
            job.require(got, i);
            job.complete_item_soon(i, "");
        }
    }
};
//]
