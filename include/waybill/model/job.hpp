// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/model/ids.hpp>
#include <waybill/model/item.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace waybill {

/// A protocol and its settings as they are stored with a job. Protocol classes such as `put` and `multipart` make one;
/// your own protocol does the same in its `spec()`.
struct protocol_spec {
    std::string name;
    detail::string_pairs settings;

    bool operator==(const protocol_spec&) const = default;
};

/// A value that names a protocol: `job::via` takes any.
template <class T>
concept protocol_choice = requires(const T& choice) {
    { choice.spec() } -> std::convertible_to<protocol_spec>;
};

/// What to do when everything was sent, no response came, and the protocol itself cannot query the server (a form
/// POST). The numbers are stored.
enum class on_unknown : std::uint8_t {
    park = 0,            ///< become `unknown_outcome` and let the app decide: never a silent duplicate
    retry_same_key = 1,  ///< send again: the endpoint honours `Idempotency-Key`
    retry = 2,           ///< send again, accepting a possible duplicate (at least once)
};

/// In what order the jobs of one lane are delivered.
enum class lane_order : std::uint8_t {
    by_origin = 0,  ///< jobs with one origin in order; others need not wait for a host that is down
    strict = 1,     ///< each only after all earlier ones with the same setting, however long that takes
};

/// If a job is sent item by item and one item cannot be delivered (its file is missing or changed, or the server
/// rejects it): what happens to the other items. The numbers are stored.
enum class on_item_failure : std::uint8_t {
    stop = 0,   ///< they are not sent: the job has failed
    go_on = 1,  ///< they are delivered first; then the job has failed, and a retry sends what is missing
};

/// What an app decides about a job whose outcome is unknown.
enum class resolution : std::uint8_t {
    completed,  ///< the server has it: the job, or, if items are sent one by one, the one in doubt
    retry,      ///< the server does not have it: send it again, under the same key
    canceled,   ///< the job is no longer wanted
};

/// What an app's backend reports about a job whose response was lost.
enum class verification : std::uint8_t {
    delivered,      ///< the backend has it: the job, or, if items are sent one by one, the one in doubt, is completed
    not_delivered,  ///< it does not have it, and never will: it is sent again
    unknown,        ///< it cannot say yet: it is asked again later
};

/// The unit of delivery that the app hands over: an ordered list of items.
///
/// A builder; nothing is checked before `async_enqueue`.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class job {
public:
    /// @param url where to: `http://` or `https://`, without user information or fragment.
    explicit job(std::string url) : url_(std::move(url)) {}

    /// Gives the job a name: a job enqueued again under the same id is accepted once. Without it the library makes one.
    job& id(job_id value) {
        id_ = std::move(value);
        return *this;
    }

    /// Sets the protocol that transfers the job. Default: `put`.
    template <protocol_choice Protocol>
    job& via(const Protocol& protocol) {
        protocol_ = protocol.spec();
        return *this;
    }

    /// The sequence this job belongs to: jobs of one lane run one at a time, in order. Default:
    /// the unnamed lane, shared by all.
    ///
    /// While a job waits for its host, jobs of the lane with other origins pass. A job that must neither pass nor be
    /// passed uses `lane_order::strict`; it then waits for as long as an earlier one does.
    job& lane(std::string name, lane_order order = lane_order::by_origin) {
        lane_ = std::move(name);
        order_ = order;
        return *this;
    }

    /// Adds a form field, sent before the items by protocols that have fields.
    job& field(std::string name, std::string value) {
        fields_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    /// Adds a request header. Headers are stored on disk, so secrets are rejected (`errc::forbidden_header`): provide
    /// those through the credentials provider.
    job& header(std::string name, std::string value) {
        headers_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    /// Adds a whole file.
    job& file(std::string path) { return add(item::file(std::move(path))); }

    /// Adds `length` bytes from `offset` of a file.
    job& range(std::string path, std::uint64_t offset, std::uint64_t length) {
        return add(item::range(std::move(path), offset, length));
    }

    /// Adds bytes from memory; they are stored with the job.
    job& bytes(std::string name, std::string data) { return add(item::bytes(std::move(name), std::move(data))); }

    job& add(item value) {
        items_.push_back(std::move(value));
        return *this;
    }

    /// The policy for a lost response. Default: `on_unknown::park`.
    job& if_unknown(on_unknown policy) {
        if_unknown_ = policy;
        return *this;
    }

    /// The policy for an item that cannot be delivered. Default: `on_item_failure::stop`. Not for forms, whose items
    /// arrive together (`errc::invalid_setting`).
    job& if_item_fails(on_item_failure policy) {
        if_item_fails_ = policy;
        return *this;
    }

    /// Names the hook of `options::verifiers` that asks your backend whether a job arrived when its response was lost.
    /// Called before the `if_unknown` policy applies.
    job& verify_with(std::string name) {
        verifier_ = std::move(name);
        return *this;
    }

    [[nodiscard]] const std::string& url() const noexcept { return url_; }
    [[nodiscard]] const job_id& id() const noexcept { return id_; }
    [[nodiscard]] const protocol_spec& protocol() const noexcept { return protocol_; }
    [[nodiscard]] const std::string& lane() const noexcept { return lane_; }
    [[nodiscard]] lane_order order() const noexcept { return order_; }
    [[nodiscard]] const detail::string_pairs& fields() const noexcept { return fields_; }
    [[nodiscard]] const detail::string_pairs& headers() const noexcept { return headers_; }
    [[nodiscard]] const std::vector<item>& items() const noexcept { return items_; }
    [[nodiscard]] on_unknown if_unknown() const noexcept { return if_unknown_; }
    [[nodiscard]] on_item_failure if_item_fails() const noexcept { return if_item_fails_; }
    [[nodiscard]] const std::string& verifier() const noexcept { return verifier_; }

private:
    std::string url_;
    job_id id_;
    protocol_spec protocol_{"put", {}};
    std::string lane_;
    lane_order order_ = lane_order::by_origin;
    detail::string_pairs fields_;
    detail::string_pairs headers_;
    std::vector<item> items_;
    on_unknown if_unknown_ = on_unknown::park;
    on_item_failure if_item_fails_ = on_item_failure::stop;
    std::string verifier_;
};

}  // namespace waybill
