/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>
static void down(int s)
{
	_exit(0);
}
static void reap(int s)
{
	while (waitpid(-1, 0, WNOHANG) > 0)
		;
}
int main(void)
{
	signal(SIGINT, down);
	signal(SIGTERM, down);
	signal(SIGCHLD, reap);
	for (;;)
		pause();
}
