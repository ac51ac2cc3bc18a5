// SPDX-License-Identifier: BSL-1.0

#include "simulation/careless.hpp"

#include <waybill/protocol/tus/rules.hpp>

#include <algorithm>

namespace waybill::simulation {

asio::awaitable<response> careless_session::send(request what, std::size_t about) {
    if (planted_ == plant::unmarked) {
        what.finishing = false;
        what.idempotent = true;
    }
    if (planted_ == plant::condition_repeated && what.method == "PUT") {
        what.finishing = false;
    }
    const checkpoint* const stored = find_checkpoint(about);
    const checkpoint reached = stored == nullptr ? checkpoint() : *stored;
    if (planted_ == plant::expiry_guessed && what.method == "HEAD" && reached.expires_unix != 0 &&
        reached.expires_unix < unix_seconds(now())) {
        response expired;
        expired.status = 410;
        co_return expired;
    }
    const std::string method = what.method;
    if (planted_ == plant::unguarded && (job().spec.protocol.name == "put")) {
        what.idempotent = true;
    }
    const std::string url = what.url;
    const auto offset = parse_decimal(single_header(what.headers, "Upload-Offset").value_or(""));
    response answer = co_await inner_.send(std::move(what), about);
    if (planted_ == plant::mark_cleared_early && answer.status / 100 == 2 && find_checkpoint(about) != nullptr) {
        checkpoint before = reached;
        inner_.resolve_soon(std::move(before));
    }
    if (planted_ == plant::hidden_fails && method == "HEAD" && answer.status == 403) {
        throw failure(disposition::permanent, make_http_error(403), describe(answer), std::nullopt, about);
    }
    const auto has = parse_decimal(answer.header("Upload-Offset").value_or(""));
    if (planted_ == plant::tail_loss_fails && method == "HEAD" && has && *has < reached.offset) {
        throw failure(disposition::permanent, errc::wrong_offset, describe(answer), std::nullopt, about);
    }
    if (planted_ == plant::own_count && method == "PATCH") {
        sent_[url] = offset.value_or(0) + answer.body_offered;
    }
    const int status = answer.status;
    if (planted_ == plant::tagless_success && method == "PUT" && status / 100 == 2 && !answer.header("ETag")) {
        answer.headers.push_back({"ETag", "\"believed\""});
    }
    if (planted_ == plant::lists_needed && url.find("max-parts=1000") != std::string::npos &&
        (status == 405 || status == 501)) {
        throw failure(disposition::permanent, make_http_error(status), {});
    }
    for (header_field& h : answer.headers) {
        if (planted_ == plant::own_count && method == "HEAD" && h.name == "Upload-Offset" && sent_.contains(url)) {
            h.value = std::to_string(sent_[url]);
        }
    }
    co_return answer;
}

asio::awaitable<void> careless_session::save(checkpoint reached) {
    spoil(reached);
    if (planted_ == plant::late_url) {
        inner_.save_soon(std::move(reached));
        co_return;
    }
    co_await inner_.save(std::move(reached));
}

asio::awaitable<void> careless_session::save_with_intent(checkpoint reached) {
    spoil(reached);
    if (planted_ == plant::unmarked || planted_ == plant::late_url) {
        inner_.save_soon(std::move(reached));
        co_return;
    }
    co_await inner_.save_with_intent(std::move(reached));
}

void careless_session::save_soon(checkpoint reached) {
    const auto state = detail::decode_tus_state(reached.state);
    if (planted_ == plant::undelivered && state && state->delivered) {
        return;
    }
    spoil(reached);
    inner_.save_soon(std::move(reached));
}

void careless_session::resolve_soon(checkpoint reached) {
    spoil(reached);
    inner_.resolve_soon(std::move(reached));
}

void careless_session::spoil(checkpoint& reached) const {
    if (planted_ == plant::eager_checkpoint && reached.item < items().size()) {
        reached.offset = std::min(reached.offset + 100, items()[reached.item].spec.size);
    }
}

asio::awaitable<void> careless_protocol::restore(session& job) {
    careless_session mine(job, planted_);
    co_await inner_->restore(mine);
}

asio::awaitable<void> careless_protocol::upload(session& job) {
    careless_session mine(job, planted_);
    co_await inner_->upload(mine);
}

asio::awaitable<void> careless_protocol::discard(exchange& server, const leftover& what) {
    if (planted_ != plant::no_cleanup) {
        co_await inner_->discard(server, what);
    }
}

}  // namespace waybill::simulation
