// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

// What a server has said to the request that finishes an upload, and what it means when it then calls that
// upload complete. Pure.
namespace waybill::detail {

/// How an upload ended that its server calls complete.
enum class ending : std::uint8_t {
    delivered,
    refused,     ///< it has the bytes and does not want them: a hook of the server has said no
    unknown,     ///< it says both, and only the app behind it may know
    send_again,  ///< it was told to the app, which wants it sent again
};

/// What is known of an upload's last request. Kept with the checkpoint.
struct finishing {
    int refused = 0;              ///< the status that answered the last one; 0: none that counts
    bool unacknowledged = false;  ///< the answer to one was lost: it may be what finished the upload
    bool told = false;            ///< the job has ended, or was set aside, because of it

    /// Takes note of an answer. A gateway that has not heard its server says no more than a connection that broke.
    void note(const response& got) noexcept {
        const bool by_gateway = got.status == 502 || got.status == 504 || got.status >= 520;
        const bool said = got.status >= 300 && !by_gateway && !got.see_other;
        refused = said ? got.status : 0;
        const bool taken = (got.status / 100 == 2 || got.see_other) && got.has_left;
        unacknowledged = unacknowledged || (!said && !taken && got.may_have_left);
        told = false;
    }

    /// The server does not have all yet: what refused the last request is of no matter any more.
    void reopen() noexcept {
        refused = 0;
        told = false;
    }

    /// Before it is judged as complete. The mark of an answer that says nothing certain stands until somebody has
    /// decided; when it is gone, the app has, perhaps while the job was set aside for its age and nobody had asked yet.
    void note_decision(bool in_doubt) noexcept {
        told = told || (!in_doubt && classify_status(refused) == status_class::ambiguous);
    }

    /// The server says it is complete.
    ///
    /// @param in_doubt the last request's mark stands: nobody has decided about it.
    [[nodiscard]] ending now_complete(bool in_doubt) const noexcept {
        constexpr std::array<int, 7> not_taken = {408, 409, 417, 421, 425, 429, 503};
        if (refused == 0) {
            return ending::delivered;
        }
        if (told && !in_doubt) {
            return ending::send_again;
        }
        // Not taken, and there all the same: by the one before, or nobody knows by whom.
        if (std::find(not_taken.begin(), not_taken.end(), refused) != not_taken.end()) {
            return unacknowledged ? ending::delivered : ending::unknown;
        }
        return refused < 500 && !unacknowledged ? ending::refused : ending::unknown;
    }

    [[nodiscard]] std::uint64_t encode() const noexcept {
        return static_cast<std::uint64_t>(refused) * 4 + (unacknowledged ? 2 : 0) + (told ? 1 : 0);
    }
    static constexpr std::uint64_t most_encoded = 999 * 4 + 3;
    [[nodiscard]] static finishing decode(std::uint64_t number) noexcept {
        return {static_cast<int>(number / 4), number / 2 % 2 == 1, number % 2 == 1};
    }
};

}  // namespace waybill::detail
