// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/transport/request.hpp>

#include <asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// A session that answers from a list and notes what its protocol does.
class fake_session final : public session {
public:
    struct sent_request {
        std::string method;
        std::string url;
        header_list headers;
        std::string body;
        bool idempotent = false;
        bool finishing = false;
        bool conditional = true;
        std::vector<body_span> spans;
        std::size_t about = 0;
    };

    explicit fake_session(std::string url) {
        record.spec.url = std::move(url);
        record.spec.id = job_id("job");
        record.state.key = "0123456789abcdef0123456789abcdef";
    }

    /// Adds an item of bytes.
    fake_session& with(std::string name, std::string data, std::string content_type = "a/b") {
        item_record item;
        item.spec.kind = source_kind::bytes;
        item.spec.name = std::move(name);
        item.spec.field = "file";
        item.spec.content_type = std::move(content_type);
        item.spec.size = data.size();
        item.spec.data = std::move(data);
        records.push_back(std::move(item));
        return *this;
    }

    /// The next request is answered so, as if all of it had left.
    fake_session& answers(int status, header_list headers = {}, std::string body = {}) {
        response r;
        r.status = status;
        r.headers = std::move(headers);
        r.body = std::move(body);
        r.may_have_left = true;
        r.has_left = true;
        return answers(std::move(r));
    }
    fake_session& answers(response r) {
        to_come.push_back(std::move(r));
        return *this;
    }

    [[nodiscard]] const job_record& job() const noexcept override { return record; }
    [[nodiscard]] const std::vector<item_record>& items() const noexcept override { return records; }
    [[nodiscard]] const checkpoint* find_checkpoint(std::size_t item) const noexcept override {
        const auto found = std::find_if(kept.begin(), kept.end(), [&](const checkpoint& c) { return c.item == item; });
        return found == kept.end() ? nullptr : &*found;
    }

    [[nodiscard]] std::unique_ptr<body_source> open(std::size_t item) override {
        ++opened;
        if (touched.contains(item)) {
            throw failure(disposition::again, errc::file_touched, {}, std::nullopt, item);
        }
        if (changed.contains(item)) {
            throw failure(disposition::permanent, errc::file_changed, {}, std::nullopt, item);
        }
        return std::make_unique<bytes_source>(records.at(item).spec.data);
    }

    asio::awaitable<response> send(request what, std::size_t about) override {
        sent_request noted;
        noted.method = what.method;
        noted.url = what.url;
        noted.headers = what.headers;
        noted.idempotent = what.idempotent;
        noted.finishing = what.finishing;
        noted.conditional = what.conditional;
        noted.spans = what.spans;
        noted.about = about;
        if (what.body != nullptr) {
            noted.body.resize(static_cast<std::size_t>(what.body->size()));
            what.body->read(0, noted.body);
        }
        sent.push_back(std::move(noted));
        response answer = std::move(to_come.at(0));
        to_come.pop_front();
        co_return answer;
    }

    asio::awaitable<void> save(checkpoint reached) override {
        save_soon(std::move(reached));
        co_return;
    }
    asio::awaitable<void> save_with_intent(checkpoint reached) override {
        save_soon(std::move(reached));
        co_return;
    }
    void save_soon(checkpoint reached) override {
        std::erase_if(kept, [&](const checkpoint& c) { return c.item == reached.item; });
        kept.push_back(reached);
        saved.push_back(std::move(reached));
    }
    asio::awaitable<void> discard(std::size_t item, bool /*at_server*/) override {
        std::erase_if(kept, [&](const checkpoint& c) { return c.item == item; });
        co_return;
    }
    asio::awaitable<void> resolve_and_discard(std::size_t item, bool at_server) override {
        record.state.intent.settle();
        return discard(item, at_server);
    }
    void resolve_soon(checkpoint reached) override {
        record.state.intent.settle();
        save_soon(std::move(reached));
    }
    void confirm(std::size_t item, std::uint64_t bytes) override { records.at(item).state.confirmed = bytes; }
    asio::awaitable<void> in_parallel(std::size_t width, std::function<asio::awaitable<bool>()> step) override {
        for (std::size_t i = 0; i < width; ++i) {
            for (bool more = true; more;) {
                more = co_await step();
            }
        }
    }
    asio::awaitable<void> back_off(int refusals, std::optional<std::chrono::seconds> retry_after) override {
        static_cast<void>(retry_after);
        pauses.push_back(refusals);
        co_return;
    }
    asio::awaitable<void> save_protocol(std::string name) override {
        record.state.negotiated_protocol = std::move(name);
        co_return;
    }
    asio::awaitable<void> complete_item(std::size_t item, std::string receipt) override {
        complete_item_soon(item, std::move(receipt));
        co_return;
    }
    void complete_item_soon(std::size_t item, std::string receipt) override {
        records.at(item).state.status = item_status::completed;
        records.at(item).state.receipt = std::move(receipt);
    }
    void complete_all_soon(std::string receipt) override {
        for (std::size_t i = 0; i < records.size(); ++i) {
            complete_item_soon(i, receipt);
        }
    }
    [[nodiscard]] std::chrono::system_clock::time_point now() const noexcept override {
        return std::chrono::system_clock::time_point(std::chrono::seconds(1'000'000));
    }

    job_record record;
    std::vector<item_record> records;
    std::deque<response> to_come;
    std::vector<sent_request> sent;
    std::vector<checkpoint> saved;  ///< all, in order
    std::list<checkpoint> kept;     ///< those that hold now
    std::set<std::size_t> changed;
    std::set<std::size_t> touched;
    int opened = 0;
    std::vector<int> pauses;
};

/// The value of a noted header; empty when there is none.
inline std::string header_of(const fake_session::sent_request& r, std::string_view name) {
    return std::string(single_header(r.headers, name).value_or(""));
}

}  // namespace waybill::test
