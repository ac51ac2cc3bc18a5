// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/hashing_source.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/protocol/tus/rules.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::detail {

/// What is known of a server, for all items of a job.
struct tus_server {
    std::optional<tus_offer> offer;
};

/// A request with the headers that every tus request has.
[[nodiscard]] WAYBILL_DECL request tus_request(std::string method, std::string url, bool override_method);

/// One item during one attempt: as one upload, or as partial uploads that are concatenated.
///
/// The server reports the offset, and it is verified: it never exceeds what can have been sent, and never falls below
/// what was confirmed. After every response that is not a plain success the server is asked for the offset.
class tus_item : public std::enable_shared_from_this<tus_item> {
public:
    tus_item(session& job, std::size_t index, const tus_settings& settings, std::shared_ptr<tus_server> server);

    /// Returns when the server has all of it, and that is durable.
    asio::awaitable<void> deliver();

private:
    static constexpr std::uint64_t least_chunk = 64 << 10;
    static constexpr std::uint64_t small_item = 64 << 10;
    static constexpr std::uint64_t most_restarts = 8;
    static constexpr int most_troubles = 3;

    // What is to be done: continued, or planned.
    asio::awaitable<void> begin();
    [[nodiscard]] bool decodes(const checkpoint& known) const;
    void take_up(const checkpoint& known);
    asio::awaitable<void> plan();
    asio::awaitable<void> discover();
    asio::awaitable<void> finish();

    // One upload resource.
    asio::awaitable<void> send_part(tus_part& part);
    asio::awaitable<bool> send_next_part(std::size_t& next);
    [[nodiscard]] request creation(const tus_part& part) const;
    asio::awaitable<void> create(tus_part& part);
    asio::awaitable<void> created(tus_part& part, const response& got, std::optional<std::uint64_t> sent);
    asio::awaitable<void> ask(tus_part& part);
    asio::awaitable<bool> is_shown(tus_part& part, const response& got);
    asio::awaitable<void> require_same(const tus_part& part, const response& got, std::optional<std::uint64_t> length);
    asio::awaitable<void> stands_at(tus_part& part, std::uint64_t offset, const response& got);
    asio::awaitable<void> found_complete(tus_part& part, const response& got);
    asio::awaitable<void> patch(tus_part& part);
    asio::awaitable<void> responded(tus_part& part, std::uint64_t size, const response& got);
    asio::awaitable<void> moved(tus_part& part, std::uint64_t offset, const response& got, bool settles);
    asio::awaitable<void> lost(tus_part& part, const response& got);
    asio::awaitable<void> hidden(tus_part& part, const response& got);
    asio::awaitable<void> lost_tail(tus_part& part, std::uint64_t offset, const response& got);
    void count_restart(const response& got);
    asio::awaitable<void> restart(tus_part& part, bool discard);
    void note_reported(const failure& why);
    asio::awaitable<void> concatenate();
    asio::awaitable<void> verify_final();

    asio::awaitable<response> send(request what, tus_part* part, std::uint64_t size);
    asio::awaitable<void> contradicted(const response& got, std::string what);
    void trouble(tus_part& part, const response& got) const;
    [[nodiscard]] failure failed(disposition what, std::error_code code, const response& got, std::string detail) const;
    [[noreturn]] void fail(disposition what, std::error_code code, const response& got, std::string detail) const;
    void require_tus(const response& got) const;
    void require_known(const response& said = response()) const;

    [[nodiscard]] body_source& source();
    [[nodiscard]] bool has_file();
    [[nodiscard]] std::uint64_t size() const noexcept { return job_.items()[index_].spec.size; }
    [[nodiscard]] bool whole() const noexcept { return state_.parts.size() == 1; }
    [[nodiscard]] std::uint64_t next_size(const tus_part& part) const noexcept;
    [[nodiscard]] std::string metadata() const;
    [[nodiscard]] checkpoint reached();
    asio::awaitable<void> add_checksum(request& what);

    session& job_;
    std::size_t index_;
    const tus_settings& settings_;
    std::shared_ptr<tus_server> server_;
    tus_state state_;
    std::optional<response> refusal_;  ///< the response to the request with the last byte, in this attempt
    std::unique_ptr<body_source> source_;
    std::unique_ptr<hashing_source> hashing_;
    bool with_upload_ = false;
    bool defer_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/tus/concatenation.ipp>
#include <waybill/protocol/tus/item.ipp>
#include <waybill/protocol/tus/recovery.ipp>
#include <waybill/protocol/tus/requests.ipp>
#endif
