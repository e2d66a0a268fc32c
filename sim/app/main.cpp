#include "sim/app/command_line.h"

int main(int argc, char** argv) { return brink::app::command_line(argc, argv); }
