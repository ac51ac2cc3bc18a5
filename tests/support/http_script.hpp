// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/http_exchange.hpp"
#include "support/http_wire.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::test {

/// Holds scripts up until the test opens it. Copies are the same valve.
class valve {
public:
    void open() const noexcept { latch_->set(); }
    [[nodiscard]] int fd() const noexcept { return latch_->get(); }

private:
    std::shared_ptr<latch_fd> latch_ = std::make_shared<latch_fd>();
};

/// What the server does with one request, step by step; a value with a name.
///
///     server.next(script("reset in mid-body").read_body(100'000).reset());
///     server.next(script("early 413").read_head().answer({413}).linger());
///     valve go;
///     server.next(script("stall").read_body(10).hold(go));   // go.open() lets it continue
///
/// A script that gives no answer and does not end the connection is followed by the default
/// answer. A script that answered early is followed by reading the rest of the body; then the
/// connection is kept.
class script {
public:
    using step = std::function<void(exchange&)>;

    explicit script(std::string name) : name_(std::move(name)) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // When it begins. By default when the first byte of a request has come, before anything is read.

    /// As soon as the connection is accepted, before the TLS handshake.
    script& at_accept();
    /// Only for requests of this method; others pass it by.
    script& only_for(std::string method);
    /// Only for requests this is true of; called with the request's head.
    script& only_if(std::function<bool(const received_request&)> condition);

    // Reading. Nothing beyond what is asked for is taken from the kernel.

    script& read_head();
    /// The head and the body up to this many bytes in total.
    script& read_body(std::uint64_t up_to);
    script& read_all();
    /// The body in pieces, with a pause before each.
    script& read_slowly(std::size_t piece, std::chrono::milliseconds pause);

    // Waiting.

    script& hold(valve until);
    /// Until the client gives up.
    script& hold();

    // Answering.

    script& interim(int status, header_list headers = {});
    script& answer(reply what);
    /// Bytes as they are.
    script& send(std::string raw);
    script& send_slowly(std::string raw, std::size_t piece, std::chrono::milliseconds pause);
    /// The same bytes again and again, until the client goes.
    script& send_forever(std::string raw);

    // Ending the connection.

    /// close(2): with unread bytes in the kernel that is a reset.
    script& close();
    /// close(2) without the TLS close alert.
    script& drop();
    /// No more bytes will come; takes what the client still sends until it closes: it surely gets the answer.
    script& linger();
    /// A TCP reset.
    script& reset();

    /// Anything else.
    script& then(step what);

    // For the server.

    [[nodiscard]] bool begins_at_accept() const noexcept { return at_accept_; }
    [[nodiscard]] bool conditional() const noexcept { return static_cast<bool>(condition_); }
    [[nodiscard]] bool applies_to(const received_request& r) const { return !condition_ || condition_(r); }
    void play(exchange& with) const;

private:
    std::string name_;
    std::vector<step> steps_;
    bool at_accept_ = false;
    std::function<bool(const received_request&)> condition_;
};

}  // namespace waybill::test
