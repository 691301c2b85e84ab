/* Nothing but starting and ending. */
int main(void)
{
    return 0;
}
