// The commands of brink-sim.
#pragma once

namespace brink::app {

/// Exit status: 0, 2 for input that cannot be used, 3 for an error of the program itself.
int command_line(int argc, char** argv);

}  // namespace brink::app
