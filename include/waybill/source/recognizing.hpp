// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/source/content_look.hpp>
#include <waybill/source/file_root.hpp>
#include <waybill/source/opened_file.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/source/source_opener.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace waybill::detail {

/// Checks one accepted item after the other.
class recognizing {
public:
    recognizing(std::vector<item_spec> items, std::vector<bool> begun, const file_root& root)
        : items_(std::move(items)), begun_(std::move(begun)), root_(root) {}

    /// Works for a while; false when all items are checked.
    bool go_on() {
        for (; found_.size() < items_.size(); look_.reset()) {
            const item_spec& item = items_[found_.size()];
            try {
                if (look_on(item)) {
                    return true;
                }
            } catch (const error&) {
                leave(item);
            }
        }
        return false;
    }

    [[nodiscard]] std::vector<recognition> take() && { return std::move(found_); }

private:
    /// True when there is more to read of it.
    bool look_on(const item_spec& item) {
        if (!look_ && !begin(item)) {
            leave(item);
            return false;
        }
        if (look_->read_some(content_look::most_at_once)) {
            return true;
        }
        if (!look_->undisturbed()) {
            leave(item);
            return false;
        }
        const file_identity& now = look_->file().identity;
        if (!whole_ && look_->value() != item.content) {
            found_.push_back({errc::file_changed, item.identity, item.content, true});
            return false;
        }
        const bool certain =
            !whole_ && (item.content.scope == fingerprint_scope::whole || !may_hide_edit(item.identity, now));
        if (whole_ || certain || !begun_[found_.size()]) {
            found_.push_back({{}, now, look_->value(), certain});
            return false;
        }
        whole_ = true;
        look_.emplace(std::move(*look_).take_file(), fingerprint_scope::whole, item.offset, item.size);
        return true;
    }

    /// False when there is nothing to check.
    bool begin(const item_spec& item) {
        whole_ = false;
        opened_file file = open_accepted(item.path, item.identity, root_);
        if (item.append_only || compare(item.identity, file.identity, false) != likeness::alike) {
            return false;
        }
        look_.emplace(std::move(file), item.content.scope, item.offset, item.size);
        return true;
    }

    /// Opening it will report the error.
    void leave(const item_spec& item) { found_.push_back({{}, item.identity, item.content, true}); }

    std::vector<item_spec> items_;
    std::vector<bool> begun_;
    const file_root& root_;
    std::vector<recognition> found_;
    std::optional<content_look> look_;
    bool whole_ = false;  // the current item is checked once more, all of it
};

}  // namespace waybill::detail
