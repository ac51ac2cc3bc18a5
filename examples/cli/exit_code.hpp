// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace cli {

/// The command's exit codes; docs/guide/command-line.md explains each. Stopped by a signal with jobs remaining: 128 +
/// its number.
enum exit_code : int {
    all_well = 0,       ///< done; of `run`: all that it had to deliver has arrived
    not_all_well = 1,   ///< a job failed in this run, or its outcome became unknown
    usage = 2,          ///< the command line is wrong, or the job or change was rejected
    locked = 3,         ///< the store is in use
    damaged = 4,        ///< the store is damaged, or of a newer version
    broken = 5,         ///< another error: a disk, a permission
    some_are_left = 6,  ///< nothing failed, but the time was up before all had arrived
};

}  // namespace cli
