// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/interfaces.hpp>
#include <waybill/platform/socket.hpp>
#include <waybill/transport/detail/curl_transfer.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL void curl_transfer::look() noexcept {
    looked_ = std::chrono::steady_clock::now();
    if (done_ && (!early_.came() || early_.refused()) && reader_.final_status() / 100 != 2) {
        return;  // what the kernel held of it is lost, or not wanted
    }
    take_given();
    const std::uint64_t queued = early_.came() ? early_.look() : unacknowledged(own_socket());
    const std::uint64_t held = size_ == 0 ? 0 : queued;
    const std::uint64_t arrived = std::max(progress_.sent, given_ - std::min(held, given_));
    const bool all_sent = connected_ && given_ == size_ && held == 0;
    if (arrived != progress_.sent || all_sent != progress_.body_sent) {
        moved_ = looked_;
    }
    if (all_sent != progress_.body_sent) {
        changed_.set();
    }
    progress_.sent = arrived;
    progress_.body_sent = all_sent;
}

WAYBILL_DECL void curl_transfer::load_small_body() {
    small_.resize(static_cast<std::size_t>(size_));
    if (size_ > 0) {
        what_.body->read(what_.offset, small_);
    }
    offered_ = size_;
}

WAYBILL_DECL void curl_transfer::hook(bool through_proxy) {
    CURL* const e = easy_.get();
    through_proxy_ = through_proxy;
    set_option(e, CURLOPT_READFUNCTION, &read_callback);
    set_option(e, CURLOPT_READDATA, static_cast<void*>(this));
    set_option(e, CURLOPT_SEEKFUNCTION, &seek_callback);
    set_option(e, CURLOPT_SEEKDATA, static_cast<void*>(this));
    set_option(e, CURLOPT_WRITEFUNCTION, &write_callback);
    set_option(e, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set_option(e, CURLOPT_HEADERFUNCTION, &header_callback);
    set_option(e, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set_option(e, CURLOPT_XFERINFOFUNCTION, &progress_callback);
    set_option(e, CURLOPT_XFERINFODATA, static_cast<void*>(this));
    set_option(e, CURLOPT_NOPROGRESS, 0);
    set_option(e, CURLOPT_PREREQFUNCTION, &connected_callback);
    set_option(e, CURLOPT_PREREQDATA, static_cast<void*>(this));
    set_option(e, CURLOPT_ERRORBUFFER, error_text_);
}

WAYBILL_DECL response curl_transfer::take_response() {
    if (done_ && refuses_headers(result_, error_text_)) {
        reader_.stop_waiting();
    }
    response out;
    reader_.move_to(out);
    out.body_offered = offered_;
    out.body_taken = given_;
    out.may_have_left = connected_ && (in_one_piece() ? given_ == size_ : offered_ == size_);
    out.has_left = reader_.final_status() != 0 && given_ == size_ && (!early_.came() || early_.took_all());
    out.transport_code = done_ ? static_cast<int>(result_) : 0;
    out.transport_text = error_text_[0] != '\0' || !done_ ? error_text_ : curl_easy_strerror(result_);
    out.failure_detail = failure_detail_;
    long connections = 0;
    long os_error = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connections);
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
    // A rewind is requested, and a request repeated, after the reused connection had died and a new one was
    // established.
    out.reused_connection = connected_ && (connections == 0 || result_ == CURLE_SEND_FAIL_REWIND || repeated_);
    if (failure_) {
        out.failure = failure_;
    } else if (done_ && result_ != CURLE_OK) {
        const connect_facts known = facts();
        const bool unwelcome = is_about_client_certificate(result_, error_text_);
        const errc why = unwelcome ? errc::tls_failed : blame(to_errc(result_, os_error, connected_), known);
        out.may_have_left = out.may_have_left && !unwelcome;
        out.failure_detail = out.failure_detail.empty() ? failure_text(known) : out.failure_detail;
        out.failure = why == errc::host_not_found && !has_network() ? errc::network_unreachable : why;
    } else if (out.status == 0) {
        out.failure = errc::connection_lost;  // libcurl reports success for a response that ends in its headers
    }
    if (result_ == CURLE_OK) {
        out.transport_text.clear();
    }
    out.body_truncated = out.body_truncated || (out.status != 0 && (!done_ || result_ != CURLE_OK));
    return out;
}

WAYBILL_DECL void curl_transfer::note_response() noexcept {
    take_given();
    const int fd = own_socket();
    const bool early = size_ > 0 && (given_ < size_ || unacknowledged(fd) > 0 || is_dead(fd));
    if (early && fd != CURL_SOCKET_BAD) {
        const bool wanted = reader_.final_status() < 400;
        early_.note(fd, !wanted || reader_.ends_connection(), what_.url.starts_with("https:"));
        if (wanted) {
            // Not a byte of another request may follow, or its bytes would be counted, too.
            curl_easy_setopt(easy_.get(), CURLOPT_FORBID_REUSE, 1L);
        }
    }
}

WAYBILL_DECL void curl_transfer::take_given() noexcept {
    curl_off_t count = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &count);
    given_ = std::min(static_cast<std::uint64_t>(std::max<curl_off_t>(count, 0)), size_);
}

WAYBILL_DECL connect_facts curl_transfer::facts() const noexcept {
    connect_facts known;
    known.result = result_;
    known.text = error_text_;
    known.through_proxy = through_proxy_;
    if (connected_) {
        return known;
    }
    long of_proxy = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &known.proxy_status);
    curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &known.verify);
    curl_easy_getinfo(easy_.get(), CURLINFO_PROXY_SSL_VERIFYRESULT, &of_proxy);
    known.verify = known.verify != 0 ? known.verify : of_proxy;
    return known;
}

WAYBILL_DECL std::size_t curl_transfer::give(std::span<char> room) {
    const std::uint64_t left = size_ - offered_;
    std::uint64_t most = left;
    if (what_.before_last_byte && !gate_open_) {
        if (left <= 1) {
            changed_.set();
            return pause_for(held_by::gate);
        }
        most = left - 1;
    }
    // The cap is the length that was announced: not one byte of a file that grew may follow.
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, room.size()));
    // The last byte of a request with an intent record is not held back: nothing may be interrupted until its response
    // is there.
    const std::size_t allowed = what_.before_last_byte && gate_open_ ? wanted : pace_.take(wanted);
    if (allowed == 0 && wanted > 0) {
        return pause_for(held_by::limit);
    }
    const std::span<char> piece = room.first(allowed);
    if (!piece.empty()) {
        what_.body->read(what_.offset + offered_, piece);
        offered_ += piece.size();
    }
    return piece.size();
}

WAYBILL_DECL void curl_transfer::take_interim(const response_reader::interim& said) {
    ++interims_;
    moved_ = std::chrono::steady_clock::now();
    changed_.set();
    if (std::exchange(offered_at_interim_, offered_) < offered_) {
        reader_.forgive();
    }
    if (what_.on_interim) {
        what_.on_interim(said.status, said.headers);
    }
}

WAYBILL_DECL void curl_transfer::fail_with_current_exception() noexcept {
    try {
        throw;
    } catch (const error& e) {
        failure_ = e.code();
        failure_detail_ = e.details().detail;
    } catch (const std::system_error& e) {
        failure_ = e.code();
    } catch (...) {
        failure_ = errc::source_read_failed;
    }
}

WAYBILL_DECL std::size_t curl_transfer::read_callback(char* to, std::size_t size, std::size_t count,
                                                      void* self) noexcept {
    auto* const t = static_cast<curl_transfer*>(self);
    try {
        return t->give({to, size * count});
    } catch (...) {
        t->fail_with_current_exception();
        return CURL_READFUNC_ABORT;
    }
}

WAYBILL_DECL std::size_t curl_transfer::write_callback(char* from, std::size_t size, std::size_t count,
                                                       void* self) noexcept {
    auto* const t = static_cast<curl_transfer*>(self);
    try {
        return t->reader_.body({from, size * count}) ? size * count : 0;
    } catch (...) {
        t->fail_with_current_exception();
        return 0;
    }
}

WAYBILL_DECL std::size_t curl_transfer::header_callback(char* from, std::size_t size, std::size_t count,
                                                        void* self) noexcept {
    auto* const t = static_cast<curl_transfer*>(self);
    try {
        const bool responded = t->reader_.final_status() != 0;
        const bool taken = t->reader_.line({from, size * count});
        if (!responded && t->reader_.final_status() != 0) {
            t->note_response();
        }
        if (!taken) {
            t->failure_ = errc::response_too_large;
            t->failure_detail_ = "response headers";
            return 0;
        }
        if (t->reader_.final_status() == 417) {
            return 0;  // libcurl 7.88 would go on using this connection in the middle of the body
        }
        if (const auto interim = t->reader_.take_interim()) {
            t->take_interim(*interim);
        }
        return size * count;
    } catch (...) {
        t->fail_with_current_exception();
        return 0;
    }
}

WAYBILL_DECL int curl_transfer::progress_callback(void* self, curl_off_t /*dltotal*/, curl_off_t /*dlnow*/,
                                                  curl_off_t /*ultotal*/, curl_off_t sent) noexcept {
    auto* const t = static_cast<curl_transfer*>(self);
    if (t->connected_ && t->worth_a_look(static_cast<std::uint64_t>(std::max<curl_off_t>(sent, 0)))) {
        t->look();
    }
    return 0;
}

WAYBILL_DECL int curl_transfer::connected_callback(void* self, char* /*remote*/, char* /*local*/, int /*rport*/,
                                                   int /*lport*/) noexcept {
    auto* const t = static_cast<curl_transfer*>(self);
    // When a reused connection dies before libcurl has registered a sent byte, libcurl sends the request once more
    // without asking for a rewind. The bytes it has already read of the body are lost: the server would receive the
    // rest as the beginning. TLS makes that likely, because a write counts only when all of it has been accepted.
    if (t->offered_ > 0 && !t->in_one_piece()) {
        t->repeated_ = true;
        t->failure_ = errc::connection_lost;
        return CURL_PREREQFUNC_ABORT;
    }
    t->connected_ = true;
    t->progress_.connected = true;
    t->moved_ = std::chrono::steady_clock::now();
    t->changed_.set();
    return CURL_PREREQFUNC_OK;
}

}  // namespace waybill::detail
