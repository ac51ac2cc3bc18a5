// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <asio/require.hpp>

#include <memory>
#include <utility>

namespace waybill::test {

/// What a tracking executor saw.
struct tracked {
    int submitted = 0;
    int depth = 0;  // above 0 while a function submitted to it runs

    [[nodiscard]] bool inside() const { return depth > 0; }
};

/// Executes on another executor, and notes that it did. For one thread.
class tracking_executor {
public:
    tracking_executor(asio::any_io_executor inner, std::shared_ptr<tracked> notes)
        : inner_(std::move(inner)), notes_(std::move(notes)) {}

    template <class Function>
    void execute(Function f) const {
        ++notes_->submitted;
        inner_.execute([notes = notes_, f = std::move(f)]() mutable {
            ++notes->depth;
            f();
            --notes->depth;
        });
    }

    template <class Property>
    requires(asio::can_query<const asio::any_io_executor&, Property>::value) auto query(const Property& p) const {
        return asio::query(inner_, p);
    }
    template <class Property>
    requires(asio::can_require<const asio::any_io_executor&, Property>::value) tracking_executor
        require(const Property& p)
    const { return {asio::require(inner_, p), notes_}; }
    template <class Property>
    requires(asio::can_prefer<const asio::any_io_executor&, Property>::value) tracking_executor
        prefer(const Property& p)
    const { return {asio::prefer(inner_, p), notes_}; }

    bool operator==(const tracking_executor&) const noexcept = default;

private:
    asio::any_io_executor inner_;
    std::shared_ptr<tracked> notes_;
};

}  // namespace waybill::test
