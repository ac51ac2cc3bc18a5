// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

// The server's responses to the request that finishes an upload, and what they mean if the server then reports the
// upload as complete. Pure.
namespace waybill::detail {

/// The outcome of an upload that its server reports as complete.
enum class ending : std::uint8_t {
    delivered,
    refused,     ///< it has the bytes and rejects them: a hook of the server refused
    unknown,     ///< the responses contradict each other; only the app's backend may know
    send_again,  ///< it was reported to the app, which wants it sent again
};

/// What is known of an upload's last request. Kept with the checkpoint.
struct finishing {
    int refused = 0;              ///< the status of the response to the last one; 0: none that counts
    bool unacknowledged = false;  ///< the response to one was lost: it may be what finished the upload
    bool reported = false;        ///< the job has ended, or was parked, because of it

    /// Records a response. A gateway that got no response from its server says no more than a lost connection.
    void note(const response& got) noexcept {
        const bool by_gateway = got.status == 502 || got.status == 504 || got.status >= 520;
        const bool said = got.status >= 300 && !by_gateway && !got.see_other;
        refused = said ? got.status : 0;
        const bool taken = (got.status / 100 == 2 || got.see_other) && got.has_left;
        unacknowledged = unacknowledged || (!said && !taken && got.may_have_left);
        reported = false;
    }

    /// The server does not have everything yet: the refusal of the last request no longer matters.
    void reopen() noexcept {
        refused = 0;
        reported = false;
    }

    /// Before it is judged as complete. The intent of an inconclusive response stands until someone decides; when it is
    /// cleared, the app has decided, perhaps while the job was parked because of its age and the server had not been
    /// asked yet.
    void note_decision(bool in_doubt) noexcept {
        reported = reported || (!in_doubt && classify_status(refused) == status_class::ambiguous);
    }

    /// The server reports it as complete.
    ///
    /// @param in_doubt the last request's intent stands: its outcome has not been decided.
    [[nodiscard]] ending now_complete(bool in_doubt) const noexcept {
        constexpr std::array<int, 7> not_taken = {408, 409, 417, 421, 425, 429, 503};
        if (refused == 0) {
            return ending::delivered;
        }
        if (reported && !in_doubt) {
            return ending::send_again;
        }
        // The server refused this request, yet the upload is complete: an earlier request may have completed it, or
        // another client.
        if (std::find(not_taken.begin(), not_taken.end(), refused) != not_taken.end()) {
            return unacknowledged ? ending::delivered : ending::unknown;
        }
        return refused < 500 && !unacknowledged ? ending::refused : ending::unknown;
    }

    [[nodiscard]] std::uint64_t encode() const noexcept {
        return static_cast<std::uint64_t>(refused) * 4 + (unacknowledged ? 2 : 0) + (reported ? 1 : 0);
    }
    static constexpr std::uint64_t most_encoded = 999 * 4 + 3;
    [[nodiscard]] static finishing decode(std::uint64_t number) noexcept {
        return {static_cast<int>(number / 4), number / 2 % 2 == 1, number % 2 == 1};
    }
};

}  // namespace waybill::detail
