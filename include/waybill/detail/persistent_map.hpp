// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace waybill::detail {

/// An immutable ordered map: every change makes a new map that shares all but O(log n) nodes with
/// the old one. That is what lets a snapshot of 100,000 jobs be published after one change in
/// microseconds, while readers keep the old one.
///
/// A treap whose priorities are hashes of the keys, so its shape depends on its content alone.
template <class Key, class Value>
class persistent_map {
    struct node;
    using link = std::shared_ptr<const node>;
    struct node {
        Key key;
        Value value;
        link left;
        link right;
    };

public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] const Value* find(const Key& key) const noexcept {
        const node* at = root_.get();
        while (at != nullptr) {
            if (key < at->key) {
                at = at->left.get();
            } else if (at->key < key) {
                at = at->right.get();
            } else {
                return &at->value;
            }
        }
        return nullptr;
    }

    [[nodiscard]] persistent_map with(const Key& key, Value value) const {
        persistent_map result;
        const bool known = find(key) != nullptr;
        result.root_ = insert(root_, key, std::move(value));
        result.size_ = size_ + (known ? 0 : 1);
        return result;
    }

    [[nodiscard]] persistent_map without(const Key& key) const {
        if (find(key) == nullptr) {
            return *this;
        }
        persistent_map result;
        result.root_ = erase(root_, key);
        result.size_ = size_ - 1;
        return result;
    }

    /// In ascending order of keys; valid while the map lives.
    class iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Value;
        using difference_type = std::ptrdiff_t;
        using pointer = const Value*;
        using reference = const Value&;

        iterator() = default;
        reference operator*() const noexcept { return path_.back()->value; }
        pointer operator->() const noexcept { return &path_.back()->value; }
        iterator& operator++() {
            const node* at = path_.back();
            path_.pop_back();
            descend(at->right.get());
            return *this;
        }
        iterator operator++(int) {
            iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const iterator& other) const noexcept {
            return path_.empty() ? other.path_.empty() : !other.path_.empty() && path_.back() == other.path_.back();
        }

    private:
        friend persistent_map;
        explicit iterator(const node* root) { descend(root); }
        void descend(const node* at) {
            for (; at != nullptr; at = at->left.get()) {
                path_.push_back(at);
            }
        }
        std::vector<const node*> path_;
    };

    [[nodiscard]] iterator begin() const { return iterator(root_.get()); }
    [[nodiscard]] iterator end() const { return {}; }

private:
    [[nodiscard]] static std::uint64_t priority(const Key& key) noexcept {
        // splitmix64: std::hash of an integer is the integer itself, which would make a list.
        std::uint64_t x = std::hash<Key>{}(key) + 0x9E3779B97F4A7C15U;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
        return x ^ (x >> 31);
    }

    // Equal priorities are ordered by key, so that the shape stays unique.
    [[nodiscard]] static bool above(const Key& a, const Key& b) noexcept {
        const std::uint64_t pa = priority(a);
        const std::uint64_t pb = priority(b);
        return pa != pb ? pa > pb : a < b;
    }

    [[nodiscard]] static link make(const Key& key, Value value, link left, link right) {
        return std::make_shared<const node>(node{key, std::move(value), std::move(left), std::move(right)});
    }

    [[nodiscard]] static std::pair<link, link> split(const link& at, const Key& key) {
        if (!at) {
            return {};
        }
        if (at->key < key) {
            auto [low, high] = split(at->right, key);
            return {make(at->key, at->value, at->left, std::move(low)), std::move(high)};
        }
        auto [low, high] = split(at->left, key);
        return {std::move(low), make(at->key, at->value, std::move(high), at->right)};
    }

    [[nodiscard]] static link merge(const link& low, const link& high) {
        if (!low || !high) {
            return low ? low : high;
        }
        if (above(low->key, high->key)) {
            return make(low->key, low->value, low->left, merge(low->right, high));
        }
        return make(high->key, high->value, merge(low, high->left), high->right);
    }

    [[nodiscard]] static link insert(const link& at, const Key& key, Value value) {
        if (!at) {
            return make(key, std::move(value), nullptr, nullptr);
        }
        if (key < at->key || at->key < key) {
            if (above(key, at->key)) {
                auto [low, high] = split(at, key);
                return make(key, std::move(value), std::move(low), std::move(high));
            }
            if (key < at->key) {
                return make(at->key, at->value, insert(at->left, key, std::move(value)), at->right);
            }
            return make(at->key, at->value, at->left, insert(at->right, key, std::move(value)));
        }
        return make(key, std::move(value), at->left, at->right);
    }

    [[nodiscard]] static link erase(const link& at, const Key& key) {
        if (key < at->key) {
            return make(at->key, at->value, erase(at->left, key), at->right);
        }
        if (at->key < key) {
            return make(at->key, at->value, at->left, erase(at->right, key));
        }
        return merge(at->left, at->right);
    }

    link root_;
    std::size_t size_ = 0;
};

}  // namespace waybill::detail
