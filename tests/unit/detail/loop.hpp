// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/erased.hpp>

#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace waybill::test {

/// An io_context with a strand, as every part of the library has one.
struct loop {
    asio::io_context context;
    detail::strand strand{asio::make_strand(asio::any_io_executor(context.get_executor()))};
};

/// A coroutine that was started, and how it ended.
class started {
public:
    started(const detail::strand& on, detail::task work)
        : signal_(std::make_shared<asio::cancellation_signal>()), end_(std::make_shared<end>()) {
        detail::spawn(on, std::move(work), signal_, [e = end_](std::exception_ptr thrown) {
            e->over = true;
            e->thrown = std::move(thrown);
        });
    }

    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) { signal_->emit(type); }
    [[nodiscard]] bool over() const { return end_->over; }
    [[nodiscard]] bool ended_well() const { return end_->over && !end_->thrown; }
    /// The code of what it threw.
    [[nodiscard]] std::error_code thrown() const {
        try {
            if (end_->thrown) {
                std::rethrow_exception(end_->thrown);
            }
        } catch (const std::system_error& e) {
            return e.code();
        }
        return {};
    }

private:
    struct end {
        bool over = false;
        std::exception_ptr thrown;
    };
    std::shared_ptr<asio::cancellation_signal> signal_;
    std::shared_ptr<end> end_;
};

/// Counts how many of it live: in coroutine frames and closures, to see that they are destroyed.
struct witness {
    explicit witness(int& count) : alive(&count) { ++*alive; }
    witness(const witness& other) : alive(other.alive) { ++*alive; }
    witness& operator=(const witness&) = delete;
    ~witness() { --*alive; }
    int* alive;
};

}  // namespace waybill::test
