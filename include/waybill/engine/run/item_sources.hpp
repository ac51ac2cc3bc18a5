// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/error.hpp>
#include <waybill/model/record.hpp>
#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/session.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/transport/response.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace waybill::detail {

[[nodiscard]] inline failure source_failure(std::error_code code, diagnostics details, std::size_t item) {
    const disposition what = code == errc::source_unavailable ? disposition::source
                             : code == errc::file_touched     ? disposition::again
                             : code == cause::permanent       ? disposition::permanent
                                                              : disposition::retry;
    return failure(what, code, std::move(details), std::nullopt, item);
}

/// An item's bytes. Remembers whose source failed: the transport only knows one body.
class noted_source final : public body_source {
public:
    noted_source(source_opener& sources, const item_spec& spec, std::size_t item, std::set<std::size_t>& failed)
        : sources_(sources), spec_(spec), item_(item), failed_(failed) {}

    void open() {
        noted([this] { inner_ = sources_.open(spec_); });
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return inner_ ? inner_->size() : spec_.size; }
    void read(std::uint64_t offset, std::span<char> out) override {
        if (!inner_) {
            open();
        }
        noted([&] { inner_->read(offset, out); });
    }

private:
    template <class Do>
    void noted(const Do& what) {
        try {
            what();
        } catch (const error& e) {
            failed_.insert(item_);
            throw source_failure(e.code(), e.details(), item_);
        }
    }

    source_opener& sources_;
    const item_spec& spec_;
    std::size_t item_;
    std::set<std::size_t>& failed_;
    std::unique_ptr<body_source> inner_;
};

/// The bytes of a job's items, and which of them could not be read.
///
/// @par Thread safety
///   On the uploader's strand.
class item_sources {
public:
    explicit item_sources(source_opener& opener) : opener_(opener) {}
    item_sources(const item_sources&) = delete;
    item_sources& operator=(const item_sources&) = delete;

    [[nodiscard]] source_opener& opener() const noexcept { return opener_; }

    /// @param spec must live as long as the returned object, and so must this.
    /// @param at_once opens it now; otherwise when the first of its bytes is read.
    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& spec, std::size_t item, bool at_once) {
        auto source = std::make_unique<noted_source>(opener_, spec, item, failed_);
        if (at_once) {
            source->open();
        }
        return source;
    }

    /// Throws when a request failed because the source of one of these items did.
    void require_intact(const response& got, const std::vector<body_span>& spans) const {
        if (got.status != 0 || !got.failure) {
            return;
        }
        // Other requests of this job may fail meanwhile for other reasons.
        for (const body_span& s : spans) {
            if (failed_.contains(s.item)) {
                throw source_failure(got.failure, describe(got), s.item);
            }
        }
    }

    /// Their files are checked again.
    void clear_failures() noexcept { failed_.clear(); }

private:
    source_opener& opener_;
    std::set<std::size_t> failed_;
};

}  // namespace waybill::detail
