// SPDX-License-Identifier: BSL-1.0
#include "support/transport_loop.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <atomic>
#include <future>
#include <stdexcept>
#include <utility>

namespace waybill::test {

struct sending::state {
    request what;
    std::shared_ptr<body_source> body;
    asio::any_io_executor home;
    transfer_progress progress;
    asio::cancellation_signal signal;
    std::promise<response> promise;
    std::future<response> future = promise.get_future();
    std::atomic<int> completions = 0;

    static asio::awaitable<response> carry(std::shared_ptr<curl_transport> over, std::shared_ptr<state> mine) {
        co_return co_await over->perform(mine->what, mine->progress);
    }

    static void begin(const std::shared_ptr<curl_transport>& over, const std::shared_ptr<state>& mine) {
        auto done = [mine](std::exception_ptr thrown, response answer) {
            if (mine->completions++ > 0) {
                return;  // the test counts them
            }
            if (thrown) {
                mine->promise.set_exception(std::move(thrown));
            } else {
                mine->promise.set_value(std::move(answer));
            }
        };
        asio::co_spawn(mine->home, carry(over, mine),
                       asio::bind_cancellation_slot(mine->signal.slot(), std::move(done)));
    }
};

response sending::get(std::chrono::milliseconds most) {
    if (state_->future.wait_for(most) != std::future_status::ready) {
        throw std::runtime_error("the request to " + state_->what.url + " does not end");
    }
    return state_->future.get();
}

std::error_code sending::error() {
    try {
        const response r = get();
        throw std::runtime_error("the request ended without an exception, status " + std::to_string(r.status));
    } catch (const std::system_error& e) {
        return e.code();
    }
}

void sending::cancel() {
    asio::post(state_->home, [mine = state_] { mine->signal.emit(asio::cancellation_type::terminal); });
}

transfer_progress sending::progress() {
    std::promise<transfer_progress> found;
    asio::post(state_->home, [&found, mine = state_] { found.set_value(mine->progress); });
    return found.get_future().get();
}

int sending::completions() const {
    return state_->completions;
}

transport_loop::transport_loop(curl_options how)
    : strand_(asio::make_strand(context_)), transport_(std::make_shared<curl_transport>(strand_, std::move(how))),
      work_(asio::make_work_guard(context_)), thread_([this] { context_.run(); }) {}

transport_loop::~transport_loop() {
    context_.stop();
    thread_.join();
}

sending transport_loop::start(request what, std::shared_ptr<body_source> body) {
    sending made;
    made.state_ = std::make_shared<sending::state>();
    made.state_->what = std::move(what);
    made.state_->body = std::move(body);
    made.state_->what.body = made.state_->body.get();
    made.state_->home = strand_;
    asio::post(strand_, [over = transport_, mine = made.state_] { sending::state::begin(over, mine); });
    return made;
}

sending transport_loop::start(request what, std::string body) {
    return start(std::move(what), std::make_shared<bytes_source>(std::move(body)));
}

response transport_loop::perform(request what, std::string body) {
    return start(std::move(what), std::move(body)).get();
}

void transport_loop::limit(const limit_scope& what, const std::string& rates) {
    std::promise<void> done;
    asio::post(strand_, [&] {
        transport_->limit(what, timetable(rates));
        done.set_value();
    });
    done.get_future().get();
}

request put_to(std::string url) {
    request what;
    what.method = "PUT";
    what.url = std::move(url);
    what.idempotent = true;
    return what;
}

request post_to(std::string url) {
    request what;
    what.method = "POST";
    what.url = std::move(url);
    return what;
}

curl_options trusting(const certificate_authority& authority) {
    curl_options how;
    how.ca_file = authority.ca_file();
    return how;
}

}  // namespace waybill::test
